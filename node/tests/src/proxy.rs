//! A stand between client and node that cuts connections at a chosen place.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
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
        let node = url.trim_start_matches("ws://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
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
            }
            read = node.read(&mut back) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&back[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
