//! All mutants of the core in one test binary, each behind a switch, so that a mutant costs one run of the tests and no compilation.
//!
//! The mutants are those that cargo-mutants lists; `scripts/core-mutants.sh` calls this on a copy of the repository:
//!
//! ```text
//! breakwater-schemata LIST.json COPY RESULTS
//! ```
//!
//! A mutant that does not compile is unviable, as with cargo-mutants. One in a constant, calculated while compiling, cannot be switched and is
//! left out. RESULTS gets a line for each mutant, and what is there already is
//! not run again, unless it was missed.

mod switches;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{exit, Command, Stdio},
};

use serde_json::Value;
use switches::{listed, with_switches, Mutant};

const SOURCES: &str = "crates/core/src";
/// Names a mutant's switch in the environment; 0 is the code as it is.
const SWITCH: &str = "MUTANT";
/// Goes to the end of the crate. While something is compiled that is constant no switch is on.
const LOOK: &str = r#"
/// Which mutant is on.
pub mod switch {
    static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    /// Whether it is this one.
    #[inline]
    pub const fn on(id: u32) -> bool {
        core::intrinsics::const_eval_select((id,), never, now)
    }
    const fn never(_: u32) -> bool {
        false
    }
    fn now(id: u32) -> bool {
        *ON.get_or_init(|| std::env::var("MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(0)) == id
    }
}
"#;
/// Stands before the compiler, for the crates of the workspace alone: what looks up a switch in constant functions is not stable.
const COMPILER: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\"\n";

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let [list, copy, results] = args.as_slice() else {
        eprintln!("usage: breakwater-schemata LIST.json COPY RESULTS");
        exit(2);
    };
    if let Err(error) = run(list, Path::new(copy), Path::new(results)) {
        eprintln!("breakwater-schemata: {error}");
        exit(1);
    }
}

fn run(list: &str, copy: &Path, results: &Path) -> Result<(), String> {
    let copy = &copy
        .canonicalize()
        .map_err(|error| format!("{}: {error}", copy.display()))?;
    let mutants = listed(&fs::read_to_string(list).map_err(|error| format!("{list}: {error}"))?)?;
    let mut originals = BTreeMap::new();
    for file in rust_files(Path::new(SOURCES))? {
        let source = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        originals.insert(file, source);
    }
    let (binary, viable, unviable) = built(copy, &originals, &mutants, results)?;
    // What was missed is run again: the tests may know more by now.
    let mut done = BTreeMap::new();
    for line in fs::read_to_string(results).unwrap_or_default().lines() {
        if let Some((name, outcome)) = line.split_once('\t') {
            let listed = mutants.iter().any(|mutant| mutant.name == name);
            if listed && outcome != "missed" {
                done.insert(name.to_owned(), outcome.to_owned());
            }
        }
    }
    let kept: String = done
        .iter()
        .map(|(name, outcome)| format!("{name}\t{outcome}\n"))
        .collect();
    fs::write(results, kept).map_err(|error| error.to_string())?;
    let outcome = tested(copy, &binary, 0, "")?;
    if outcome != "missed" {
        return Err(format!("the tests fail without a mutant: {outcome}"));
    }
    let mut log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(results)
        .map_err(|error| error.to_string())?;
    for (mutant, at) in mutants.iter().zip(1..) {
        if done.contains_key(&mutant.name) {
            continue;
        }
        let outcome = if viable.contains(&mutant.id) {
            let own = mutant.module();
            match tested(copy, &binary, mutant.id, &own)?.as_str() {
                "missed" => tested(copy, &binary, mutant.id, "")?,
                killed => killed.to_owned(),
            }
        } else if unviable.contains(&mutant.id) {
            "unviable".to_owned()
        } else {
            "constant".to_owned()
        };
        if outcome == "missed" {
            eprintln!("{at} of {}: missed: {}", mutants.len(), mutant.name);
        } else if at % 50 == 0 {
            eprintln!("{at} of {}", mutants.len());
        }
        writeln!(log, "{}\t{outcome}", mutant.name).map_err(|error| error.to_string())?;
        done.insert(mutant.name.clone(), outcome);
    }
    let count = |wanted: &str| {
        mutants
            .iter()
            .filter(|mutant| {
                done.get(&mutant.name)
                    .is_some_and(|of| of.starts_with(wanted))
            })
            .count()
    };
    let (killed, missed) = (count("killed") + count("timeout"), count("missed"));
    println!(
        "{} mutants: {killed} killed ({} of them by running for too long), {missed} missed, {} unviable, {} in constants: {:.2} % of the others killed",
        mutants.len(),
        count("timeout"),
        count("unviable"),
        count("constant"),
        100.0 * killed as f64 / (killed + missed).max(1) as f64
    );
    Ok(())
}

/// Compiles the tests with every mutant in them; what does not compile is taken out until the rest does. The binary, which are in it, and which do not
/// compile.
fn built(
    copy: &Path,
    originals: &BTreeMap<PathBuf, String>,
    mutants: &[Mutant],
    results: &Path,
) -> Result<(PathBuf, BTreeSet<u32>, BTreeSet<u32>), String> {
    // Found by an earlier run: mutants that do not compile.
    let known = results.with_extension("unviable");
    let text = fs::read_to_string(&known).unwrap_or_default();
    let names: BTreeSet<&str> = text.lines().collect();
    let known_ones = mutants
        .iter()
        .filter(|mutant| names.contains(mutant.name.as_str()));
    let mut unviable: BTreeSet<u32> = known_ones.map(|mutant| mutant.id).collect();
    let wrapper = copy.join("target-compiler");
    fs::write(&wrapper, COMPILER)
        .and_then(|()| fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)))
        .map_err(|error| error.to_string())?;
    for round in 1..60 {
        let mut placed = BTreeSet::new();
        for (path, source) in originals {
            let of_file: Vec<Mutant> = mutants
                .iter()
                .filter(|mutant| Path::new(&mutant.file) == path)
                .filter(|mutant| !unviable.contains(&mutant.id))
                .cloned()
                .collect();
            let (mut text, here) = with_switches(source, &of_file)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            if path.ends_with("core/src/lib.rs") {
                text = format!("#![allow(warnings, internal_features, clippy::all)]\n#![feature(core_intrinsics, const_eval_select)]\n{text}{LOOK}");
            }
            placed.extend(here);
            // A file that stays as it is is not compiled again.
            let target = copy.join(path);
            if fs::read_to_string(&target).ok().as_ref() != Some(&text) {
                let folder = target.parent().unwrap_or(copy);
                fs::create_dir_all(folder).map_err(|error| error.to_string())?;
                fs::write(target, text).map_err(|error| error.to_string())?;
            }
        }
        let errors = match compiled(copy)? {
            Ok(binary) => {
                let names = mutants
                    .iter()
                    .filter(|mutant| unviable.contains(&mutant.id));
                let names: String = names.map(|mutant| format!("{}\n", mutant.name)).collect();
                fs::write(known, names).map_err(|error| error.to_string())?;
                return Ok((binary, placed, unviable));
            }
            Err(errors) => errors,
        };
        let before = unviable.len();
        unviable.extend(errors.iter().filter_map(|error| error.mutant(copy)));
        eprintln!("round {round}: {} do not compile", unviable.len());
        if before == unviable.len() {
            let first = errors.first().map(|error| {
                let CompileError {
                    message,
                    file,
                    line,
                } = error;
                format!("{file}:{line}: {message}")
            });
            return Err(format!(
                "no mutant is to blame: {}",
                first.unwrap_or_default()
            ));
        }
    }
    Err("does not compile".to_owned())
}

#[derive(Debug)]
struct CompileError {
    message: String,
    file: String,
    line: usize,
}

impl CompileError {
    /// The mutant whose switch is next above the error.
    fn mutant(&self, copy: &Path) -> Option<u32> {
        let text = fs::read_to_string(copy.join(&self.file)).ok()?;
        let lines: Vec<&str> = text.lines().take(self.line).collect();
        let line = lines
            .iter()
            .rev()
            .find(|line| line.contains("switch::on("))?;
        let id = line.rsplit("switch::on(").next()?;
        id.split("u32").next()?.parse().ok()
    }
}

type Compiled = Result<PathBuf, Vec<CompileError>>;

fn compiled(copy: &Path) -> Result<Compiled, String> {
    let output = Command::new("cargo")
        .args([
            "test",
            "-p",
            "breakwater-core",
            "--lib",
            "--no-run",
            "--message-format=json",
        ])
        .args([
            "--config",
            "profile.dev.package.breakwater-core.debug=false",
        ])
        .env("RUSTC_WORKSPACE_WRAPPER", copy.join("target-compiler"))
        .current_dir(copy)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let (mut errors, mut binary) = (Vec::new(), None);
    for line in output.stdout.split(|byte| *byte == b'\n') {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        if let Some(path) = value["executable"].as_str() {
            binary = Some(PathBuf::from(path));
        }
        let message = &value["message"];
        if message["level"] != "error" {
            continue;
        }
        let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
        for span in message["spans"].as_array().into_iter().flatten() {
            if span["is_primary"] == true {
                errors.push(CompileError {
                    message: text(&message["message"]),
                    file: text(&span["file_name"]),
                    line: usize::try_from(span["line_start"].as_u64().unwrap_or(1)).unwrap_or(1),
                });
            }
        }
    }
    match binary {
        Some(binary) if output.status.success() => Ok(Ok(binary)),
        _ => Ok(Err(errors)),
    }
}

/// Runs the tests of a module, or all, with one mutant on, up to the first that fails.
fn tested(copy: &Path, binary: &Path, id: u32, module: &str) -> Result<String, String> {
    // Time of the processor, so that a busy machine kills nobody; and memory, for a mutant that never stops to push.
    let mut child = Command::new("bash")
        .args(["-c", "ulimit -t 4 -v 4000000; exec \"$@\"", "bash"])
        .arg(binary)
        .args((!module.is_empty()).then_some(module))
        .args(["--test-threads=1"])
        .args(
            env::var("SCHEMATA_ARGS")
                .unwrap_or_default()
                .split_whitespace(),
        )
        .env(SWITCH, id.to_string())
        .current_dir(copy.join("crates/core"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let stdout = child.stdout.take().ok_or("no output")?;
    let (mut running, mut failed) = (String::new(), None);
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|of| of.split_once(" ... "))
        {
            running = name.to_owned();
            if outcome.starts_with("FAILED") {
                failed = Some(name.to_owned());
                let _ = child.kill();
                break;
            }
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok(match failed {
        Some(test) => format!("killed by {test}"),
        None if status.success() => "missed".to_owned(),
        None if status.code().is_none() => format!("timeout after {running}"),
        None => format!("killed after {running}"),
    })
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|of| of == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}
