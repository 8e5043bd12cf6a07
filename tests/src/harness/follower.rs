//! A node that authors nothing: it imports what the others have authored, and its metrics tell what
//! that takes.

use super::{failure, process::program, Failure, Process};
use std::{net::SocketAddr, path::Path, process::Command, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The node's histogram of the time that it takes to verify, carry out and store a block.
const IMPORT_TIME: &str = "substrate_block_verification_and_import_time";
/// How long a node may take to start.
const START: Duration = Duration::from_secs(60);
/// How long the metrics may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A following node.
pub struct Follower {
    node: Process,
    metrics: SocketAddr,
}

/// All imports of a node so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Imports {
    /// How many blocks it has imported.
    pub blocks: u64,
    /// How long all of them took together.
    pub took: Duration,
}

impl Follower {
    pub(super) fn new(node: Process, metrics: SocketAddr) -> Self {
        Self { node, metrics }
    }

    /// A node of its own development chain, which it authors and finalizes: what the metrics of a
    /// validator are.
    pub async fn author(dir: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(program("failsafe-node")?);
        command
            .args(["--dev", "--rpc-port", "0", "--prometheus-port", "0", "--no-telemetry"])
            .args(["--no-mdns", "--listen-addr", "/ip4/127.0.0.1/tcp/0", "--db-cache", "16"])
            .arg("--base-path")
            .arg(dir.join("author"));
        let mut node = Process::start("author", command, dir)?;
        let metrics = node.wait_for("its metrics", START, metrics_address).await?;
        Ok(Self::new(node, metrics))
    }

    /// Where its metrics are.
    pub fn metrics(&self) -> SocketAddr {
        self.metrics
    }

    /// Stops it.
    pub async fn stop(self) -> Result<(), Failure> {
        self.node.stop(Duration::from_secs(20)).await.map(drop)
    }
}

/// Asks the node whose metrics are at `address` about its imports.
pub async fn imports(address: SocketAddr) -> Result<Imports, Failure> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        // Of that version the answer ends with the connection and is not in chunks.
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, Failure>(answer)
    };
    read_imports(&timeout(ANSWER, ask).await??)
}

fn read_imports(metrics: &str) -> Result<Imports, Failure> {
    let value = |suffix: &str| {
        let name = format!("{IMPORT_TIME}_{suffix}");
        let found = metrics.lines().find_map(|line| {
            // Labels are between name and value.
            let rest = line.strip_prefix(&name)?;
            rest.starts_with(['{', ' ']).then(|| rest.rsplit(' ').next()).flatten()
        });
        found.ok_or_else(|| failure(format!("the node has no metric {name}")))
    };
    let took = Duration::try_from_secs_f64(value("sum")?.parse()?)?;
    Ok(Imports { blocks: value("count")?.parse()?, took })
}

/// Where a node's log says that its metrics are.
pub(super) fn metrics_address(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("Prometheus exporter started at ")?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "HTTP/1.0 200 OK\r\n\r\n\
        # TYPE substrate_block_verification_and_import_time histogram\n\
        substrate_block_verification_and_import_time_bucket{chain=\"dev\",le=\"0.1\"} 2\n\
        substrate_block_verification_and_import_time_sum{chain=\"dev\"} 1.25\n\
        substrate_block_verification_and_import_time_count{chain=\"dev\"} 3\n";

    #[test]
    fn imports_should_be_read_when_metrics_have_labels() {
        let expected = Imports { blocks: 3, took: Duration::from_millis(1_250) };
        assert_eq!(read_imports(METRICS).unwrap(), expected);
        let plain = METRICS.replace("{chain=\"dev\"}", "");
        assert_eq!(read_imports(&plain).unwrap(), expected);
    }

    #[test]
    fn imports_should_be_an_error_when_the_metric_is_missing() {
        let other = METRICS.replace("time_count", "time_counter");
        let problem = read_imports(&other).unwrap_err().to_string();
        assert!(problem.contains("import_time_count"), "{problem}");
    }

    #[test]
    fn metrics_address_should_be_found_when_the_log_tells_it() {
        let log = "start\n\u{303d}\u{fe0f} Prometheus exporter started at 127.0.0.1:4711\nnext";
        assert_eq!(metrics_address(log), Some(([127, 0, 0, 1], 4711).into()));
        assert_eq!(metrics_address("start"), None);
    }
}
