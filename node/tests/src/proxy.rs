//! A stand between client and node that cuts connections at a chosen place, changes what the node
//! says, or has every answer come late.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Passes everything on, until it is told to cut.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// Portions from the client before the connection is cut; zero: it is not.
    left: AtomicU32,
    cuts: AtomicU32,
    lie: Option<Lie>,
    /// How late an answer comes.
    late: Duration,
}

/// What the node says, and what the client hears instead; both of one length.
struct Lie {
    said: Vec<u8>,
    heard: Vec<u8>,
}

impl Lie {
    /// Passes bytes of the node on, changed. What may be the beginning of a lie is kept back until the
    /// rest has come.
    fn tell(&self, held: &mut Vec<u8>, portion: &[u8]) -> Vec<u8> {
        held.extend_from_slice(portion);
        let length = self.said.len();
        let mut at = 0;
        while at + length <= held.len() {
            if held[at..at + length] == self.said[..] {
                held[at..at + length].copy_from_slice(&self.heard);
                at += length;
            } else {
                at += 1;
            }
        }
        let begun = (1..length.min(held.len() + 1))
            .rev()
            .find(|begun| held.ends_with(&self.said[..*begun]));
        let rest = held.split_off(held.len() - begun.unwrap_or(0));
        std::mem::replace(held, rest)
    }
}

impl Shared {
    /// Whether the portion that has just come from the client is where to cut.
    fn is_here(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        let before = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        before == Ok(1)
    }
}

impl Proxy {
    /// Stands before the node at a `ws://` address.
    ///
    /// # Panics
    /// There is no port to listen on.
    pub async fn before(url: &str) -> Self {
        Self::with(url, Shared::default()).await
    }

    /// Stands before the node at a `ws://` address, and has clients hear one text instead of another.
    ///
    /// # Panics
    /// They are not of one length.
    pub async fn lying(url: &str, said: &str, heard: &str) -> Self {
        assert_eq!(said.len(), heard.len(), "frames keep their lengths");
        let shared = Shared {
            lie: Some(Lie {
                said: said.into(),
                heard: heard.into(),
            }),
            ..Shared::default()
        };
        Self::with(url, shared).await
    }

    /// Stands before the node at a `ws://` address, and has each answer come so late.
    ///
    /// # Panics
    /// As [`Self::before`].
    pub async fn slow(url: &str, late: Duration) -> Self {
        let shared = Shared {
            late,
            ..Shared::default()
        };
        Self::with(url, shared).await
    }

    async fn with(url: &str, shared: Shared) -> Self {
        let node = url.trim_start_matches("ws://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(shared);
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    if let Ok(node) = TcpStream::connect(&node).await {
                        tokio::spawn(pass(client, node, Arc::clone(&shared)));
                    }
                }
            }
        });
        Self {
            address,
            shared,
            task,
        }
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Cuts the connection once that many more portions have come from the client; the node gets
    /// every second time the last one, too.
    pub fn cut_after(&self, portions: u32) {
        self.shared.left.store(portions, Ordering::SeqCst);
    }

    /// How often it has cut.
    pub fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes bytes both ways until either side ends or the connection is cut.
async fn pass(mut client: TcpStream, mut node: TcpStream, shared: Arc<Shared>) {
    let (mut there, mut back) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut held, mut asked) = (Vec::new(), false);
    loop {
        tokio::select! {
            read = client.read(&mut there) => {
                let Ok(count @ 1..) = read else { return };
                let cut = shared.is_here();
                let cuts = if cut { shared.cuts.fetch_add(1, Ordering::SeqCst) } else { 0 };
                if cut && cuts % 2 == 0 {
                    return;
                }
                if node.write_all(&there[..count]).await.is_err() || cut {
                    return;
                }
                asked = true;
            }
            read = node.read(&mut back) => {
                let Ok(count @ 1..) = read else { return };
                // The rest of a long answer is not later than its beginning.
                if std::mem::take(&mut asked) && !shared.late.is_zero() {
                    tokio::time::sleep(shared.late).await;
                }
                let portion = match &shared.lie {
                    Some(lie) => lie.tell(&mut held, &back[..count]),
                    None => back[..count].to_vec(),
                };
                if client.write_all(&portion).await.is_err() {
                    return;
                }
            }
        }
    }
}
