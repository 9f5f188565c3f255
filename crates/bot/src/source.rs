//! Where prices come from: a file, a command, or a JSON document.

use crate::config::SourceConfig;
use crate::program;
use breakwater_core::units::{Millis, Price};
use breakwater_sim::prices::parse_price;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// A price and when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The price.
    pub price: Price,
    /// When, in milliseconds since the Unix epoch; `None` where the source does not say.
    pub at: Option<Millis>,
}

/// Why there is no price.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read, or is not of the form asked for.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The command failed or took too long.
    #[error("the price command {0}")]
    Command(String),
    /// The document cannot be had.
    #[error("the price's address does not answer: {0}")]
    Http(String),
    /// There is no price at the pointer.
    #[error("the answer has no number or text at {0}: correct price.pointer")]
    Pointer(String),
    /// What is there is not a price.
    #[error("{text:?} is no price: it {reason}")]
    Price {
        /// What is there.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A source of prices.
#[derive(Debug)]
pub struct Source {
    config: SourceConfig,
    agent: Option<ureq::Agent>,
}

/// Longest answer that is read, bytes.
const LONGEST: u64 = 1 << 20;

impl Source {
    /// A source as configured. Nothing is read yet.
    #[must_use]
    pub fn new(config: SourceConfig) -> Self {
        let agent = match &config {
            SourceConfig::Http {
                timeout_seconds, ..
            } => {
                let limit = Some(Duration::from_secs(*timeout_seconds));
                let settings = ureq::Agent::config_builder().timeout_global(limit).build();
                Some(settings.into())
            }
            _ => None,
        };
        Self { config, agent }
    }

    /// The price at a moment of the chain's clock.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn observe(&self, now: Millis) -> Result<Option<Observation>, SourceError> {
        match &self.config {
            SourceConfig::Csv { path } => latest_row(path, now),
            SourceConfig::Command {
                command,
                timeout_seconds,
            } => {
                let text = first_line(command, Duration::from_secs(*timeout_seconds))?;
                let price = price(&text)?;
                Ok(Some(Observation { price, at: None }))
            }
            SourceConfig::Http { url, pointer, .. } => {
                let price = self.fetch(url, pointer)?;
                Ok(Some(Observation { price, at: None }))
            }
        }
    }

    fn fetch(&self, url: &str, pointer: &str) -> Result<Price, SourceError> {
        // The address may carry a key, and an error of the client may repeat the address.
        let failed = |error: ureq::Error| SourceError::Http(error.to_string().replace(url, "…"));
        let agent = self
            .agent
            .clone()
            .unwrap_or_else(ureq::Agent::new_with_defaults);
        let mut answer = agent.get(url).call().map_err(failed)?;
        let body = answer.body_mut().with_config().limit(LONGEST);
        let text = body.read_to_string().map_err(failed)?;
        price_at(&text, pointer)
    }
}

fn price_at(document: &str, pointer: &str) -> Result<Price, SourceError> {
    let document: serde_json::Value =
        serde_json::from_str(document).map_err(|error| SourceError::Http(error.to_string()))?;
    match document.pointer(pointer) {
        Some(serde_json::Value::String(text)) => price(text),
        Some(serde_json::Value::Number(number)) => price(&number.to_string()),
        _ => Err(SourceError::Pointer(pointer.to_owned())),
    }
}

fn price(text: &str) -> Result<Price, SourceError> {
    parse_price(text)
        .map(Price::new)
        .map_err(|error| SourceError::Price {
            text: text.chars().take(40).collect(),
            reason: error.to_string(),
        })
}

#[derive(serde::Deserialize)]
struct Row {
    timestamp: u64,
    price: String,
}

fn latest_row(path: &PathBuf, now: Millis) -> Result<Option<Observation>, SourceError> {
    let failed = |reason: csv::Error| SourceError::File {
        path: path.clone(),
        reason: reason.to_string(),
    };
    let mut found = None;
    for row in csv::Reader::from_path(path).map_err(failed)?.deserialize() {
        let row: Row = row.map_err(failed)?;
        let at = row.timestamp.saturating_mul(1_000);
        if at > now {
            break;
        }
        let price = price(&row.price)?;
        found = Some(Observation {
            price,
            at: Some(at),
        });
    }
    Ok(found)
}

fn first_line(command: &[String], limit: Duration) -> Result<String, SourceError> {
    let failed = |reason: &str| SourceError::Command(reason.to_owned());
    let until = Instant::now() + limit;
    let started = program::start(command, Stdio::null());
    let mut child = started.map_err(|reason| failed(&reason))?;
    let output = child.stdout.take();
    let lines = output.map(|output| program::lines(output, 1));
    let line = lines.map(|lines| lines.recv_timeout(limit));
    // Without a line the command has ended, or the time is up.
    if !wait(&mut child, until)? {
        return Err(failed("ended with an error"));
    }
    match line {
        Some(Ok(line)) => Ok(line.trim().to_owned()),
        Some(Err(RecvTimeoutError::Timeout)) => Err(failed("took too long")),
        _ => Err(failed("wrote no line of text")),
    }
}

fn wait(child: &mut Child, until: Instant) -> Result<bool, SourceError> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(SourceError::Command("took too long".to_owned()));
            }
            Err(error) => return Err(SourceError::Command(format!("was lost: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_gives_the_latest_row_that_is_not_in_the_future() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"timestamp,price\n10,1.5\n20,2.5\n30,nonsense\n")
            .unwrap();
        let source = Source::new(SourceConfig::Csv {
            path: file.path().to_owned(),
        });
        let at = |now| {
            source
                .observe(now)
                .map(|found| found.map(|seen| seen.price.get()))
        };
        assert_eq!(at(9_999).unwrap(), None);
        assert_eq!(at(19_999).unwrap(), Some(1_500_000_000_000_000_000));
        assert_eq!(at(20_000).unwrap(), Some(2_500_000_000_000_000_000));
        assert!(matches!(at(30_000), Err(SourceError::Price { .. })));
    }

    #[test]
    fn a_command_gives_its_first_line_and_is_stopped_when_it_hangs() {
        let run = |command: &[&str], timeout_seconds| {
            let command = command.iter().map(|part| (*part).to_owned()).collect();
            Source::new(SourceConfig::Command {
                command,
                timeout_seconds,
            })
            .observe(0)
        };
        let seen = run(&["printf", "12.5\nnoise"], 5).unwrap().unwrap();
        assert_eq!(seen.price.get(), 12_500_000_000_000_000_000);
        for broken in [vec!["false"], vec!["no-such-program-here"], vec![]] {
            assert!(matches!(run(&broken, 5), Err(SourceError::Command(_))));
        }
        assert!(matches!(
            run(&["printf", "NaN"], 5),
            Err(SourceError::Price { .. })
        ));
        assert!(matches!(
            run(&["sleep", "60"], 0),
            Err(SourceError::Command(_))
        ));
        assert!(matches!(run(&["true"], 5), Err(SourceError::Command(_))));
    }

    /// A program in the background holds the output open, and one that writes on fills the pipe.
    #[test]
    fn neither_an_output_held_open_nor_a_full_pipe_keeps_the_bot() {
        let price = |script: &str, timeout_seconds| {
            let command = ["sh", "-c", script].map(str::to_owned).to_vec();
            let source = Source::new(SourceConfig::Command {
                command,
                timeout_seconds,
            });
            source.observe(0)
        };
        let seen = price("sleep 20 & echo 12.5", 60).unwrap().unwrap();
        assert_eq!(seen.price.get(), 12_500_000_000_000_000_000);
        let silent = price("sleep 20 &", 1);
        assert!(matches!(silent, Err(SourceError::Command(_))), "{silent:?}");
        // Sixteen times what a pipe holds.
        let chatty = "echo 13; head -c 1048576 /dev/zero";
        let seen = price(chatty, 60).unwrap().unwrap();
        assert_eq!(seen.price.get(), 13_000_000_000_000_000_000);
    }

    #[test]
    fn a_document_gives_what_is_at_the_pointer() {
        let document = r#"{"data":[{"price":"200.25","volume":7}]}"#;
        let found = price_at(document, "/data/0/price").unwrap();
        assert_eq!(found.get(), 200_250_000_000_000_000_000);
        assert_eq!(price_at(document, "/data/0/volume").unwrap().get() % 7, 0);
        assert!(matches!(
            price_at(document, "/data/1"),
            Err(SourceError::Pointer(_))
        ));
        assert!(matches!(
            price_at("<html>", "/a"),
            Err(SourceError::Http(_))
        ));
    }

    #[test]
    fn a_document_is_fetched_over_http_and_an_error_hides_the_address() {
        let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
        let address = server.server_addr().to_ip().unwrap();
        let answer = std::thread::spawn(move || {
            for body in [r#"{"p":3.5}"#, "gone"] {
                let request = server.recv().unwrap();
                let code = if body == "gone" { 500 } else { 200 };
                let response = tiny_http::Response::from_string(body).with_status_code(code);
                request.respond(response).unwrap();
            }
        });
        let source = Source::new(SourceConfig::Http {
            url: format!("http://{address}/?key=hidden"),
            pointer: "/p".to_owned(),
            timeout_seconds: 5,
        });
        let seen = source.observe(0).unwrap().unwrap();
        assert_eq!(seen.price.get(), 3_500_000_000_000_000_000);
        let error = source.observe(0).unwrap_err().to_string();
        assert!(!error.contains("hidden"), "{error}");
        answer.join().unwrap();
    }
}
