//! The HTML report of a run: one page that needs no network and no script.
//!
//! The page is a function of the outcome alone: the same outcome gives the same bytes.

mod batch;
mod books;
mod chart;
mod day_chart;
pub(crate) mod format;
mod ladder_chart;
mod page;
mod study;
pub(crate) mod words;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use breakwater_economics::study::Study;
use breakwater_sim::outcome::DemoOutcome;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Why a report could not be written. Whatever stood at the path before still stands there.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The path names no file, or names a folder.
    #[error("`{}` is not a file name; name the file to write, such as report.html", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The folder is missing and cannot be made.
    #[error("cannot make the folder `{}` ({source}); choose another place", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write `{}` ({source}); choose another place", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The report of `outcome` as one HTML page.
///
/// Amounts are rounded for reading, half away from zero; the JSON form of the outcome has the
/// exact ones. Names and symbols are escaped. A chart that cannot be drawn is replaced by a
/// sentence that says so.
pub fn render(outcome: &DemoOutcome) -> String {
    page::page(outcome).into_string()
}

/// The report of a study of the auction's economics as one HTML page.
pub fn render_study(study: &Study) -> String {
    study::render(study)
}

/// Writes the report of `outcome` to `path`, as a whole or not at all, see [`write_text`].
///
/// # Errors
///
/// [`ReportError`], see [`write_text`].
pub fn write(path: impl AsRef<Path>, outcome: &DemoOutcome) -> Result<(), ReportError> {
    write_text(path, &render(outcome))
}

/// Writes `text` to `path`, as a whole or not at all.
///
/// Missing folders are made. The text goes into a temporary file beside the target, which then
/// takes the target's place in one step; a file that stood there is replaced.
///
/// # Errors
///
/// A [`ReportError`]; the target is then as it was before, and no temporary file is left.
pub fn write_text(path: impl AsRef<Path>, text: &str) -> Result<(), ReportError> {
    let path = path.as_ref();
    if path.file_name().is_none() || path.is_dir() {
        return Err(ReportError::NotAFile {
            path: path.to_owned(),
        });
    }
    // A bare file name has the empty path as its parent, which means here.
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|source| ReportError::Folder {
        folder: folder.to_owned(),
        source,
    })?;
    replace(folder, path, text).map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

fn replace(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".report-");
    // Temporary files are private by default; a report is as readable as any file of the user.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
