//! One process, with its output in a file.

use super::{eventually, failure, Failure};
use rustix::process::{kill_process, Pid, Signal};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// Lines of a log that are shown when its process fails.
const TAIL: usize = 25;

/// A program of the workspace, next to the one that runs.
pub fn program(name: &str) -> Result<PathBuf, Failure> {
    let this = std::env::current_exe()?;
    // Programs are in the folder above the tests.
    let places = this.ancestors().skip(1).take(2).map(|dir| dir.join(name));
    let found = places.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| {
        failure(format!("there is no {name} beside {}: run `make build`", this.display()))
    })
}

/// A running process; killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Where its output begins: processes of that name before it have written to the same file.
    begin: usize,
}

impl Process {
    /// Starts `command`, with both its outputs in `<name>.log` in `dir`.
    pub fn start(name: &str, mut command: Command, dir: &Path) -> Result<Self, Failure> {
        let log = dir.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log)?;
        let begin = usize::try_from(file.metadata()?.len())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .map_err(|e| failure(format!("{name} cannot be started: {e}")))?;
        Ok(Self { name: name.into(), child, log, begin })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has written.
    pub fn output(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(bytes.get(self.begin..).unwrap_or_default()).into_owned()
    }

    /// The last lines that it has written.
    pub fn tail(&self) -> String {
        let output = self.output();
        let lines: Vec<_> = output.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    /// An error with the last lines of the log.
    pub fn failed(&self, what: &str) -> Failure {
        failure(format!("{}: {what}\n{}", self.name, self.tail()))
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until its output has something that `find` finds.
    pub async fn wait_for<T>(
        &mut self,
        what: &str,
        patience: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Failure> {
        let found = eventually(what, patience, || {
            let found = find(&self.output());
            let ended = self.child.try_wait();
            async move {
                match (found, ended?) {
                    (Some(found), _) => Ok(Some(Ok(found))),
                    (None, Some(status)) => Ok(Some(Err(format!("it ended with {status}")))),
                    (None, None) => Ok(None),
                }
            }
        })
        .await;
        match found {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(problem)) => Err(self.failed(&problem)),
            Err(problem) => Err(self.failed(&problem.to_string())),
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let id = i32::try_from(self.child.id())?;
        let id = Pid::from_raw(id).ok_or_else(|| failure("no process"))?;
        Ok(kill_process(id, signal)?)
    }

    /// Kills it as `kill -9` does: it gets no chance to do anything.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.signal(Signal::KILL)?;
        self.child.wait()?;
        Ok(())
    }

    /// Halts it: its connections stay, it answers nothing.
    pub fn suspend(&self) -> Result<(), Failure> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub fn resume(&self) -> Result<(), Failure> {
        self.signal(Signal::CONT)
    }

    /// Tells it to read its configuration again.
    pub fn hang_up(&self) -> Result<(), Failure> {
        self.signal(Signal::HUP)
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self, patience: Duration) -> Result<ExitStatus, Failure> {
        self.signal(Signal::TERM)?;
        let name = self.name.clone();
        eventually(&format!("{name} stops"), patience, || {
            let ended = self.child.try_wait();
            async move { Ok(ended?) }
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- last lines of {}:\n{}", self.name, self.tail());
        }
    }
}
