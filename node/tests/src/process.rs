//! A node as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

/// A node that ends with this process, or when it is dropped.
pub struct Process {
    url: String,
    script: Child,
    /// The node ends when this closes.
    _leash: Option<ChildStdin>,
}

impl Process {
    /// Starts a node by `scripts/node.sh` with these arguments and waits until it answers.
    ///
    /// # Panics
    /// There is no node; the script has said on standard error how to get one.
    pub fn start(arguments: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/node.sh");
        let mut script = Command::new(script)
            .args(arguments)
            .arg("--leash")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/node.sh runs");
        let leash = script.stdin.take();
        let mut url = String::new();
        let stdout = script.stdout.take().expect("is piped");
        BufReader::new(stdout)
            .read_line(&mut url)
            .expect("scripts/node.sh prints the address");
        let url = url.trim().to_owned();
        assert!(url.starts_with("ws://"), "no node: see the line above");
        Self {
            url,
            script,
            _leash: leash,
        }
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills the node itself, which can do nothing about it, and waits until it is gone.
    ///
    /// # Panics
    /// The node is not there.
    pub fn kill(mut self) {
        let script = self.script.id().to_string();
        let found = Command::new("pgrep")
            .args(["-P", &script, "-f", "--", "--rpc-port"])
            .output()
            .expect("pgrep runs");
        let node = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        let killed = Command::new("kill").args(["-KILL", &node]).status();
        assert!(killed.expect("kill runs").success(), "no node to kill");
        self.script.wait().expect("the script ends with its node");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.script.try_wait(), Ok(None)) {
            return;
        }
        // The script ends its node when it is told to end.
        let script = self.script.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &script]).status();
        let _ = self.script.wait();
    }
}
