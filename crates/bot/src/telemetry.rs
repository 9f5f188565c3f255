//! What a bot tells about itself: metrics, health and log lines.

use crate::action::Refusal;
use crate::fault::Class;
use prometheus::{Encoder, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing_subscriber::EnvFilter;

/// Seconds without a block after which a bot is not healthy.
const SILENCE: u64 = 120;

/// Counters and gauges of one bot. Clones are the same.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Actions by role, kind and result.
    pub actions: IntCounterVec,
    /// What was not done, by reason.
    pub refusals: IntCounterVec,
    /// Errors by class.
    pub errors: IntCounterVec,
    /// Latest block looked at.
    pub block: IntGauge,
    /// Latest block worked on to its end.
    pub worked: IntGauge,
    /// Positions that could be liquidated.
    pub at_risk: IntGauge,
    /// Batches that are not finished.
    pub batches: IntGauge,
    /// Own bids that are not claimed.
    pub bids: IntGauge,
    /// Stage of the circuit breaker in force: 0 open to 3 halted.
    pub stage: IntGauge,
    /// What the market's upkeep needed at the last look.
    pub duties: IntGauge,
    /// Free quote in the auction, base units.
    pub free: IntGauge,
    /// Fees paid, the native token's smallest unit.
    pub fees: IntGauge,
    seen: Arc<AtomicU64>,
}

impl Metrics {
    /// Metrics that count from zero.
    ///
    /// # Errors
    /// [`prometheus::Error`], should a name be taken twice.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            actions: counter(
                "breakwater_bot_actions_total",
                "Actions by role, kind and result",
                &["role", "kind", "result"],
            )?,
            refusals: counter(
                "breakwater_bot_refusals_total",
                "What the bot did not do, by reason",
                &["reason"],
            )?,
            errors: counter("breakwater_bot_errors_total", "Errors by class", &["class"])?,
            block: gauge("breakwater_bot_block", "Latest block looked at")?,
            worked: gauge(
                "breakwater_bot_block_done",
                "Latest block worked on to its end",
            )?,
            at_risk: gauge(
                "breakwater_bot_positions_at_risk",
                "Positions that could be liquidated",
            )?,
            batches: gauge(
                "breakwater_bot_batches_open",
                "Batches that are not finished",
            )?,
            bids: gauge("breakwater_bot_bids_open", "Own bids not claimed")?,
            stage: gauge(
                "breakwater_bot_breaker_stage",
                "Stage of the circuit breaker in force: 0 open, 3 halted; a keeper's",
            )?,
            duties: gauge(
                "breakwater_bot_upkeep_due",
                "What anyone may do for the market and was due at the last look; a keeper's",
            )?,
            free: gauge(
                "breakwater_bot_free_quote",
                "Free quote in the auction, base units",
            )?,
            fees: gauge(
                "breakwater_bot_fees_native",
                "Fees paid since the start, smallest units of the native token",
            )?,
            registry,
            seen: Arc::default(),
        })
    }

    /// Counts what was refused.
    pub fn refused(&self, refusal: Refusal) {
        self.refusals.with_label_values(&[refusal.label()]).inc();
    }

    /// Counts an error.
    pub fn error(&self, class: Class) {
        self.errors.with_label_values(&[class.label()]).inc();
    }

    /// Notes that a block was looked at without an error.
    pub fn alive(&self) {
        self.seen.store(seconds(), Ordering::Relaxed);
    }

    /// Whether a block was looked at lately.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        seconds().saturating_sub(self.seen.load(Ordering::Relaxed)) <= SILENCE
    }

    /// All metrics in Prometheus's text format.
    ///
    /// # Errors
    /// [`prometheus::Error`].
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// A gauge holds 63 bits; what is more shows as the most.
#[must_use]
pub fn gauge(value: u128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

/// Serves `/metrics` and `/healthz` until told to stop.
///
/// # Errors
/// The address cannot be listened at.
pub fn serve(
    listen: &str,
    metrics: Metrics,
    stop: Arc<AtomicBool>,
) -> io::Result<(std::net::SocketAddr, JoinHandle<()>)> {
    let server = tiny_http::Server::http(listen).map_err(io::Error::other)?;
    let address = server
        .server_addr()
        .to_ip()
        .ok_or_else(|| io::Error::other("not an internet address"))?;
    let serving = std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let Ok(Some(request)) = server.recv_timeout(Duration::from_millis(200)) else {
                continue;
            };
            let (code, text) = answer(request.url(), &metrics);
            let response = tiny_http::Response::from_string(text).with_status_code(code);
            // Whoever asked may be gone.
            let _ = request.respond(response);
        }
    });
    Ok((address, serving))
}

fn answer(url: &str, metrics: &Metrics) -> (u16, String) {
    match url {
        "/metrics" => match metrics.text() {
            Ok(text) => (200, text),
            Err(error) => (500, error.to_string()),
        },
        "/healthz" if metrics.is_healthy() => (200, "running\n".to_owned()),
        "/healthz" => (503, "no block lately\n".to_owned()),
        _ => (404, "see /metrics and /healthz\n".to_owned()),
    }
}

/// Writes log lines to stderr, as text or as JSON. `RUST_LOG` chooses how many; a second call does
/// nothing.
pub fn log(json: bool) {
    let wished = std::env::var("RUST_LOG").unwrap_or_else(|_| "breakwater_bot=info".to_owned());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(wished))
        .with_writer(io::stderr);
    let _ = match json {
        true => lines.json().try_init(),
        false => lines.try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn metrics_and_health_are_served_until_the_bot_stops() {
        let (metrics, stop) = (Metrics::new().unwrap(), Arc::default());
        let (address, serving) = serve("127.0.0.1:0", metrics.clone(), Arc::clone(&stop)).unwrap();
        let get = |path: &str| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        };
        assert!(get("/healthz").contains("503"));
        metrics.alive();
        metrics.error(Class::Outcompeted);
        assert!(get("/healthz").contains("200"));
        let text = get("/metrics");
        assert!(text.contains("breakwater_bot_errors_total{class=\"outcompeted\"} 1"));
        assert!(get("/other").contains("404"));
        stop.store(true, Ordering::Relaxed);
        serving.join().unwrap();
    }
}
