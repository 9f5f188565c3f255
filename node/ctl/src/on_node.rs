//! What all commands that talk to a node have in common: its address, and who signs.

use crate::failure::Failure;
use breakwater_node::{KeySigner, Node};
use breakwater_terminal::complain;
use std::io::{stderr, IsTerminal};
use std::{env, fs, future::Future, path::PathBuf, pin::pin, time::Duration};
use tokio::time::timeout;

/// Names the signer's secret where it is not to be typed.
const SECRET_VARIABLE: &str = "BREAKWATER_SURI";

/// How long a node may take to answer before people are told what is waited for.
const SILENCE: Duration = Duration::from_secs(2);

/// The node.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeArgs {
    /// Address of the node
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:9944")]
    pub(crate) url: String,
}

impl NodeArgs {
    pub(crate) async fn connect(&self) -> Result<Node, Failure> {
        let mut connecting = pin!(Node::connect_any(&self.url));
        let node = match timeout(SILENCE, connecting.as_mut()).await {
            Ok(node) => node,
            Err(_) => {
                if stderr().is_terminal() {
                    complain(&format!("waiting for {} to answer ...", self.url));
                }
                connecting.await
            }
        };
        Ok(node?)
    }
}

/// Who signs.
#[derive(clap::Args)]
pub(crate) struct SignerArgs {
    /// Secret of a development account, such as //Alice. Others see what is typed here: name real
    /// secrets in a file or in the environment variable BREAKWATER_SURI
    #[arg(long, value_name = "SECRET", conflicts_with = "suri_file")]
    suri: Option<String>,

    /// File with the secret: a phrase of words, 0x and 64 hex digits, with derivations if any
    #[arg(long, value_name = "FILE")]
    suri_file: Option<PathBuf>,
}

impl std::fmt::Debug for SignerArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignerArgs(..)")
    }
}

impl SignerArgs {
    /// The key: of the option, of the file, or of the environment.
    pub(crate) fn signer(&self) -> Result<KeySigner, Failure> {
        let secret = match (&self.suri, &self.suri_file) {
            (Some(secret), _) => secret.clone(),
            (None, Some(file)) => fs::read_to_string(file)
                .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?,
            (None, None) => env::var(SECRET_VARIABLE).map_err(|_| {
                let how = "nobody signs: give --suri-file FILE, or set BREAKWATER_SURI";
                Failure::Usage(format!(
                    "{how}; on a development chain --suri //Alice will do"
                ))
            })?,
        };
        KeySigner::from_suri(&secret).map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// Runs what needs a connection.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?
        .block_on(work)
}
