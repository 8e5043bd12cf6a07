//! The sending half of a session that another thread feeds. Frames are encrypted and written by the
//! thread that has them, as far as the socket takes them at once: waking a task for each would cost
//! more than the write. What the socket does not take, and pings, is left to the session's task.

use super::{Frame, TransportError, Writer, PING_EVERY};
use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{ready, Context, Poll},
    time::Duration,
};
use tokio::{
    net::tcp::OwnedWriteHalf,
    sync::Notify,
    time::{sleep, timeout, timeout_at, Instant},
};

/// Frames that may wait for a slow peer before its session is given up.
const QUEUE: usize = 4_096;
/// Bytes that are written at a time: who writes has other things to do.
const MOST: usize = 1 << 20;
/// How long a peer may take to accept any of what is sent to it, and all of it once no more comes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// Splits the sending half: frames go into the first, the session's task runs the second.
pub fn outlet(writer: Writer<OwnedWriteHalf>) -> (Outlet, Drain) {
    let line = Line {
        writer: Some(writer),
        waiting: VecDeque::new(),
        last: None,
        problem: None,
        used: Instant::now(),
        blocked: None,
    };
    let shared = Arc::new(Shared { line: Mutex::new(line), wake: Notify::new() });
    (Outlet(shared.clone()), Drain { shared, ping_every: PING_EVERY })
}

/// Takes frames, in order. When it is dropped, the session ends once they have left.
pub struct Outlet(Arc<Shared>);

/// Frames were put in that are still to be written.
pub struct Unwritten(Arc<Shared>);

/// A session that takes no frames: it is over, or its peer takes none.
#[derive(Debug, PartialEq, Eq)]
pub struct Clogged;

/// What the session's task does for an [`Outlet`].
pub struct Drain {
    shared: Arc<Shared>,
    ping_every: Duration,
}

struct Shared {
    line: Mutex<Line>,
    /// Tells the task that the socket did not take everything, or that the end has come.
    wake: Notify,
}

struct Line {
    /// `None` once the session is over.
    writer: Option<Writer<OwnedWriteHalf>>,
    /// Frames that are not encrypted yet.
    waiting: VecDeque<Frame>,
    /// Since when no more come.
    last: Option<Instant>,
    /// What ended the session while another thread wrote.
    problem: Option<TransportError>,
    /// When something was last written.
    used: Instant,
    /// Since when the socket takes nothing, although there is something.
    blocked: Option<Instant>,
}

/// How far writing has come.
enum Written {
    All,
    /// Much; there is more.
    Much,
    /// The socket takes no more now.
    Blocked,
}

impl Shared {
    /// The line is whole whoever panicked.
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what the socket takes now; the rest, and what goes wrong, is the task's.
    fn write(&self) {
        if !self.lock().write_some() {
            self.wake.notify_one();
        }
    }
}

impl Line {
    /// Whether all that is there has left.
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.writer.as_ref().is_none_or(Writer::is_flushed)
    }

    /// When the peer has taken too long.
    fn deadline(&self) -> Option<Instant> {
        let since = self.blocked.into_iter().chain(self.last).min()?;
        since.checked_add(WRITE_TIMEOUT)
    }

    /// Writes; whether there is nothing that the task has to do.
    fn write_some(&mut self) -> bool {
        match self.write() {
            Ok(Written::All) => self.last.is_none(),
            Ok(Written::Much | Written::Blocked) => false,
            Err(problem) => {
                // Nothing may follow what is missing now.
                (self.writer, self.problem) = (None, Some(problem));
                self.waiting.clear();
                false
            },
        }
    }

    fn write(&mut self) -> Result<Written, TransportError> {
        let Some(writer) = &mut self.writer else { return Ok(Written::All) };
        let mut most = MOST;
        loop {
            while !writer.is_full() {
                let Some(frame) = self.waiting.pop_front() else { break };
                writer.encrypt_value(&frame)?;
            }
            if writer.is_flushed() {
                return Ok(Written::All);
            }
            if most == 0 {
                return Ok(Written::Much);
            }
            let Some(sent) = writer.try_flush()? else {
                self.blocked.get_or_insert_with(Instant::now);
                return Ok(Written::Blocked);
            };
            most = most.saturating_sub(sent);
            (self.used, self.blocked) = (Instant::now(), None);
        }
    }

    fn poll_write(&mut self, ctx: &mut Context<'_>) -> Poll<Result<Written, TransportError>> {
        loop {
            if let Some(problem) = self.problem.take() {
                return Poll::Ready(Err(problem));
            }
            match self.write()? {
                Written::Blocked => {},
                written => return Poll::Ready(Ok(written)),
            }
            let Some(writer) = &self.writer else { return Poll::Ready(Ok(Written::All)) };
            ready!(writer.poll_ready(ctx))?;
        }
    }
}

impl Outlet {
    /// Puts a frame in; it leaves with [`Unwritten::write`]. `None` when earlier ones are still to be
    /// written: they leave together.
    ///
    /// # Errors
    /// [`Clogged`]; the frame is lost.
    pub fn put(&self, frame: Frame) -> Result<Option<Unwritten>, Clogged> {
        let mut line = self.0.lock();
        if line.writer.is_none() || line.waiting.len() >= QUEUE {
            return Err(Clogged);
        }
        let first = line.waiting.is_empty();
        line.waiting.push_back(frame);
        Ok(first.then(|| Unwritten(self.0.clone())))
    }

    /// Puts a frame in and writes it.
    ///
    /// # Errors
    /// [`Clogged`]; the frame is lost.
    pub fn send(&self, frame: Frame) -> Result<(), Clogged> {
        if let Some(unwritten) = self.put(frame)? {
            unwritten.write();
        }
        Ok(())
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.0.lock().last = Some(Instant::now());
        self.0.wake.notify_one();
    }
}

impl Unwritten {
    /// Writes everything that was put in, as far as the socket takes it now. The session's task
    /// writes the rest.
    pub fn write(self) {
        self.0.write();
    }
}

impl Drain {
    /// Writes what the socket did not take at once, and pings, until no more comes.
    ///
    /// # Errors
    /// [`TransportError`]: what has ended the session.
    pub async fn run(&self) -> Result<(), TransportError> {
        loop {
            let silent = {
                let line = self.shared.lock();
                line.used.checked_add(self.ping_every).unwrap_or(line.used)
            };
            let is_silent = timeout_at(silent, self.shared.wake.notified()).await.is_err();
            if is_silent {
                let mut line = self.shared.lock();
                if line.used.elapsed() >= self.ping_every {
                    line.waiting.push_back(Frame::Ping);
                }
            }
            self.drain().await?;
            let line = self.shared.lock();
            if line.last.is_some() && line.is_empty() {
                return Ok(());
            }
        }
    }

    /// Writes everything that is there.
    async fn drain(&self) -> Result<(), TransportError> {
        loop {
            let (deadline, now) = (self.shared.lock().deadline(), Instant::now());
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Err(TransportError::Timeout);
            }
            let limit =
                deadline.map_or(WRITE_TIMEOUT, |deadline| deadline.saturating_duration_since(now));
            tokio::select! {
                written = poll_fn(|ctx| self.shared.lock().poll_write(ctx)) => match written? {
                    Written::All => return Ok(()),
                    Written::Much | Written::Blocked => tokio::task::yield_now().await,
                },
                // Another thread has written, or met a problem.
                () = self.shared.wake.notified() => {},
                () = sleep(limit) => {},
            }
        }
    }

    /// Says goodbye to a peer that may be gone already.
    pub async fn farewell(&self, frame: Frame) {
        self.shared.lock().waiting.push_back(frame);
        // Nobody is left to be told.
        let _ = timeout(WRITE_TIMEOUT, self.drain()).await;
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        let mut line = self.shared.lock();
        // Closes the socket's sending half.
        line.writer = None;
        line.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::{AccountKey, Scheme},
        transport::{accept, dial, Identity, Session, TransportKey},
    };
    use sp_core::H256;
    use tokio::{net::TcpListener, spawn};

    /// Some hundred of these fill what the sockets of both ends hold.
    const LARGE: usize = 60_000;

    /// Both ends of a session over a real socket.
    async fn session() -> (Session, Session) {
        let identity = |uri| {
            let key = AccountKey::from_uri(Scheme::Sr25519, uri).unwrap();
            Identity { signer: Arc::new(key), genesis: H256::repeat_byte(1) }
        };
        let (key, hub, user) = (TransportKey::generate(), identity("//Hub"), identity("//User"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let (public, account) = (key.public(), hub.signer.account());
        let (dialed, accepted) = tokio::join!(dial(&endpoint, &public, &account, &user), async {
            accept(listener.accept().await.unwrap().0, &key, &hub).await
        });
        (dialed.unwrap(), accepted.unwrap())
    }

    fn frame(number: usize, size: usize) -> Frame {
        let mut bytes = vec![7; size];
        bytes.extend(number.to_le_bytes());
        Frame::Channel(bytes)
    }

    #[tokio::test]
    async fn frames_should_arrive_at_once_when_no_task_runs() {
        let (ours, mut theirs) = session().await;
        let (outlet, _drain) = outlet(ours.writer);
        let first = outlet.put(frame(0, 10)).unwrap().expect("nothing else is to be written");
        assert!(outlet.put(frame(1, 10)).unwrap().is_none());
        first.write();
        for number in 0..2 {
            assert_eq!(theirs.reader.read().await.unwrap(), frame(number, 10));
        }
    }

    #[tokio::test]
    async fn frames_should_arrive_in_order_when_the_socket_is_full_for_a_while() {
        let (ours, mut theirs) = session().await;
        let (outlet, drain) = outlet(ours.writer);
        let task = spawn(async move { drain.run().await });
        const COUNT: usize = 400;
        for number in 0..COUNT {
            outlet.send(frame(number, LARGE)).unwrap();
        }
        // It ends when all of them have left.
        drop(outlet);
        for number in 0..COUNT {
            assert_eq!(theirs.reader.read().await.unwrap(), frame(number, LARGE), "{number}");
        }
        task.await.unwrap().unwrap();
        assert!(matches!(theirs.reader.read().await, Err(TransportError::Closed)));
    }

    #[tokio::test]
    async fn frames_should_be_refused_when_the_peer_takes_none() {
        let (ours, _theirs) = session().await;
        let (outlet, drain) = outlet(ours.writer);
        let _task = spawn(async move { drain.run().await });
        let sent = (0..2 * QUEUE).take_while(|number| outlet.send(frame(*number, 4_000)).is_ok());
        assert!((QUEUE..2 * QUEUE).contains(&sent.count()));
    }

    #[tokio::test]
    async fn frames_should_be_refused_when_the_session_is_over() {
        let (ours, theirs) = session().await;
        let (outlet, drain) = outlet(ours.writer);
        drop(theirs);
        drop(drain);
        assert_eq!(outlet.put(Frame::Ping).err(), Some(Clogged));
    }

    #[tokio::test]
    async fn task_should_tell_what_ended_the_session_when_another_thread_has_written() {
        let (ours, theirs) = session().await;
        let (outlet, drain) = outlet(ours.writer);
        drop(theirs);
        let task = spawn(async move { drain.run().await });
        while outlet.send(frame(0, LARGE)).is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(matches!(task.await.unwrap(), Err(TransportError::Io(_))));
    }

    #[tokio::test]
    async fn ping_should_leave_when_nothing_else_has_for_long() {
        let (ours, mut theirs) = session().await;
        let (outlet, mut drain) = outlet(ours.writer);
        drain.ping_every = Duration::from_millis(200);
        let _task = spawn(async move { drain.run().await });
        for _ in 0..10 {
            outlet.send(frame(0, 10)).unwrap();
            assert_eq!(theirs.reader.read().await.unwrap(), frame(0, 10));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let begun = Instant::now();
        assert_eq!(theirs.reader.read().await.unwrap(), Frame::Ping);
        assert!(begun.elapsed() >= Duration::from_millis(150));
    }
}
