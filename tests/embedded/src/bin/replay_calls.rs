//! Plays a recording of calls on the embedded chain: `replay_calls RECORDING RESULT`.

use breakwater_sim::recorded::{replay, Recording};
use futures::executor::block_on;
use std::error::Error;
use std::process::ExitCode;

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("usage: replay_calls RECORDING RESULT".into());
    };
    let recording: Recording = serde_json::from_str(&std::fs::read_to_string(from)?)?;
    let again = block_on(replay(&recording))?;
    std::fs::write(to, serde_json::to_string(&again)?)?;
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
