//! Lines between parties: what is sent waits in order, and one party after the other gets some of it.

use super::World;
use failsafe_hub::party::core::Input;
use rand::Rng;

impl World {
    pub(super) fn connect(&mut self, a: usize, b: usize) {
        let (a, b) = (a.min(b), a.max(b));
        let down = self.parties[a].down > 0 || self.parties[b].down > 0;
        if down || self.lines.contains_key(&(a, b)) {
            return;
        }
        self.lines.insert((a, b), Default::default());
        let session = self.next_session;
        self.next_session += 1;
        self.open.insert((a, b), session);
        for (one, other) in [(a, b), (b, a)] {
            let partner = self.name(other, one);
            self.feed(one, Input::Connected { partner, session });
            if !self.lines.contains_key(&(a, b)) {
                return;
            }
        }
    }

    pub(super) fn connect_all(&mut self) {
        for at in 1..self.parties.len() {
            self.connect(at - 1, at);
        }
    }

    pub fn disconnect(&mut self, a: usize, b: usize) {
        let (a, b) = (a.min(b), a.max(b));
        if self.lines.remove(&(a, b)).is_none() {
            return;
        }
        let session = self.open.remove(&(a, b)).expect("it was open");
        for (one, other) in [(a, b), (b, a)] {
            let partner = self.name(other, one);
            self.feed(one, Input::Disconnected { partner, session });
        }
    }

    /// Delivers one message of a line chosen by chance. Says whether there was one.
    pub fn deliver(&mut self) -> bool {
        let busy = self.lines.iter().flat_map(|(line, queues)| {
            let ways = queues.iter().enumerate().filter(|(_, queue)| !queue.is_empty());
            ways.map(|(way, _)| (*line, way))
        });
        let busy: Vec<_> = busy.collect();
        if busy.is_empty() {
            return false;
        }
        let ((a, b), way) = busy[self.rng.gen_range(0..busy.len())];
        let to = if way == 1 { b } else { a };
        // A busy party finds several waiting, from all its partners.
        let most = [1, 1, 2, 8][self.rng.gen_range(0..4)];
        let mut inputs = vec![];
        while inputs.len() < most {
            let waiting = busy.iter().filter(|((a, b), way)| to == if *way == 1 { *b } else { *a });
            let waiting: Vec<_> =
                waiting.filter(|(line, way)| !self.lines[line][*way].is_empty()).collect();
            if waiting.is_empty() {
                break;
            }
            let ((a, b), way) = *waiting[self.rng.gen_range(0..waiting.len())];
            let from = if way == 1 { a } else { b };
            let queue = &mut self.lines.get_mut(&(a, b)).expect("it is busy")[way];
            let bytes = queue.pop_front().expect("it is busy");
            let message = codec::DecodeAll::decode_all(&mut &bytes[..]).expect("what was encoded");
            if self.parties[to].vice.ignores(&message) {
                self.count("withheld");
                continue;
            }
            let (partner, session) = (self.name(from, to), self.open[&(a, b)]);
            inputs.push(Input::Message { partner, session, message });
        }
        if inputs.is_empty() {
            return true;
        }
        self.feed_all(to, inputs);
        self.tell_balances();
        true
    }

    /// Delivers all that is under way between two.
    pub fn deliver_between(&mut self, a: usize, b: usize) {
        let (a, b) = (a.min(b), a.max(b));
        loop {
            let Some(queues) = self.lines.get_mut(&(a, b)) else { return };
            let next = queues.iter_mut().enumerate().find_map(|(way, queue)| {
                let bytes = queue.pop_front()?;
                Some((way, bytes))
            });
            let Some((way, bytes)) = next else { return };
            let (from, to) = if way == 1 { (a, b) } else { (b, a) };
            let message = codec::DecodeAll::decode_all(&mut &bytes[..]).expect("what was encoded");
            let (partner, session) = (self.name(from, to), self.open[&(a, b)]);
            self.feed(to, Input::Message { partner, session, message });
        }
    }

    /// Gives those who asked for their on-chain balances what they had then.
    pub(super) fn tell_balances(&mut self) {
        while let Some((at, balances)) = self.again.pop_front() {
            self.feed(at, Input::Balances(balances));
        }
    }

    /// Delivers until nothing is under way, with time passing for acknowledgements.
    pub fn settle_network(&mut self) {
        for _ in 0..3 {
            while self.deliver() {}
            self.tick_all();
        }
        while self.deliver() {}
    }

    pub(super) fn tick_all(&mut self) {
        self.now_ms += 50;
        for at in 0..self.parties.len() {
            self.feed(at, Input::Tick);
            if self.parties[at].down == 0 {
                self.parties[at].core.learn_names();
            }
        }
        self.tell_balances();
    }
}
