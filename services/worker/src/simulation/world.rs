//! The world around the workers: a topic, a group that shares it out, and a database server. One thread, one
//! source of chance (`faults`): a seed gives the same run every time.

use std::collections::BTreeMap;
use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use copydesk_article::{NextOffset, TopicPartition};

use super::faults::{Chance, Loss};
use super::memory::{Broken, Calls, Kind, Op, Pending, Refusal, SharedCalls, kind, locked, source};
use super::server::{Server, Tables};
use super::worker::{Task, Waiting, Worker, message};
use crate::bridge::Request;

pub(super) struct World {
    pub(super) server: Server,
    pub(super) calls: SharedCalls,
    pub(super) workers: Vec<Worker>,
    /// Which worker the group thinks has a partition.
    pub(super) group: BTreeMap<i32, u64>,
    /// The group's committed offsets.
    pub(super) committed: BTreeMap<i32, i64>,
    /// Where the topic ends.
    pub(super) ends: BTreeMap<i32, i64>,
    last_worker: u64,
    pub(super) backup: Option<Tables>,
    /// Calls that were carried out or failed so far.
    pub(super) calls_made: usize,
}

impl World {
    pub(super) fn new(partitions: i32, messages: i64, workers: usize, broken: Option<Broken>) -> Self {
        let mut world = Self {
            server: Server::new(broken),
            calls: Arc::new(Mutex::new(Calls::default())),
            workers: Vec::new(),
            group: BTreeMap::new(),
            committed: BTreeMap::new(),
            ends: (0..partitions).map(|p| (p, messages)).collect(),
            last_worker: 0,
            backup: None,
            calls_made: 0,
        };
        for _ in 0..workers {
            world.join();
        }
        for partition in 0..partitions {
            let id = world.workers[partition as usize % workers].id;
            world.give(partition, id);
        }
        world
    }

    pub(super) fn join(&mut self) -> u64 {
        self.last_worker += 1;
        self.workers.push(Worker::start(self.last_worker, &self.calls));
        self.last_worker
    }

    pub(super) fn worker(&mut self, id: u64) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|w| w.id == id)
    }

    pub(super) fn give(&mut self, partition: i32, id: u64) {
        self.group.insert(partition, id);
        if let Some(worker) = self.worker(id) {
            worker.tasks.push_back(Task::Assign(partition));
        }
    }

    /// The first worker that is awake; one is started if there is none.
    pub(super) fn awake(&mut self, chance: Option<&mut Chance>) -> u64 {
        let awake: Vec<u64> = self.workers.iter().filter(|w| !w.frozen).map(|w| w.id).collect();
        match (awake.is_empty(), chance) {
            (true, _) => self.join(),
            (false, None) => awake[0],
            (false, Some(chance)) => awake[chance.below(awake.len())],
        }
    }

    /// kill -9. What it had sent may still be carried out by the server, without anybody to hear of it.
    pub(super) fn crash(&mut self, id: u64, carry_out: bool) {
        let Some(place) = self.workers.iter().position(|w| w.id == id) else {
            return;
        };
        let sent: Vec<Pending> = {
            let mut calls = locked(&self.calls);
            let (sent, others) = std::mem::take(&mut calls.pending)
                .into_iter()
                .partition(|p| p.worker == id);
            calls.pending = others;
            sent
        };
        if carry_out {
            for pending in sent {
                self.server.execute(id, &pending.op);
            }
        }
        drop(self.workers.remove(place));
        self.server.abort_all(|worker| worker == id);
        self.settle();
        let orphans: Vec<i32> = self
            .group
            .iter()
            .filter(|(_, w)| **w == id)
            .map(|(p, _)| *p)
            .collect();
        for partition in orphans {
            let next = self.awake(None);
            self.give(partition, next);
        }
    }

    /// Transactions that were dropped are rolled back.
    fn settle(&mut self) {
        let dropped = std::mem::take(&mut locked(&self.calls).dropped);
        dropped.into_iter().for_each(|tx| self.server.abort(tx));
    }

    /// Moves a worker's poll thread on, and lets everything in it run. A worker that meets a killing message
    /// is gone before the server hears any more of it.
    pub(super) fn turn(&mut self, id: u64) {
        self.move_on(id);
        let killers = self.worker(id).map(|w| std::mem::take(&mut *locked(&w.deaths)));
        if let Some(killers) = killers.filter(|k| !k.is_empty()) {
            killers
                .into_iter()
                .for_each(|(p, offset)| self.server.killed(p, offset));
            self.crash(id, false);
        }
    }

    fn move_on(&mut self, id: u64) {
        let broken = self.server.broken;
        let committed = self.committed.clone();
        let (ends, group) = (self.ends.clone(), self.group.clone());
        let Some(worker) = self.worker(id).filter(|w| !w.frozen) else {
            return;
        };
        worker.run_down();
        let again: Vec<TopicPartition> = std::mem::take(&mut locked(&worker.start_over));
        for source in again {
            let partition = source.partition.get();
            if worker.fetching.contains_key(&partition) {
                worker.tasks.push_back(Task::Lost(partition));
                worker.tasks.push_back(Task::Assign(partition));
            }
        }
        let mut handed_over = None;
        match worker.waiting.take() {
            Some(Waiting::Claim(partition, answer)) => match answer.try_recv() {
                Ok(Ok(starts)) => {
                    for start in starts {
                        let mut at = start.next_offset.get();
                        if broken == Some(Broken::StartsAtCommitted) {
                            at = committed.get(&partition).copied().unwrap_or(at);
                        }
                        let stream = worker.feed.open(&start.source, NextOffset::new(at));
                        worker.fetching.insert(partition, at);
                        worker.requests.send(Request::Assigned(vec![stream])).ok();
                        worker.stirred = true;
                    }
                }
                Ok(Err(_)) | Err(blocking::TryRecvError::Disconnected) => {
                    worker.tasks.push_back(Task::Assign(partition));
                }
                Err(blocking::TryRecvError::Empty) => {
                    worker.waiting = Some(Waiting::Claim(partition, answer));
                }
            },
            Some(Waiting::Drain(partition, next, answer)) => match answer.try_recv() {
                Err(blocking::TryRecvError::Empty) => {
                    worker.waiting = Some(Waiting::Drain(partition, next, answer));
                }
                reached => handed_over = Some((partition, next, reached.unwrap_or_default())),
            },
            None => {
                if let Some(task) = worker.tasks.pop_front() {
                    worker.begin(task, &ends, &group);
                    worker.stirred = true;
                }
            }
        }
        worker.run_down();
        if let Some((partition, next, reached)) = handed_over {
            for (source, next) in reached {
                self.committed.insert(source.partition.get(), next.get());
            }
            let next = match self.worker(next) {
                Some(worker) if !worker.frozen => next,
                _ => self.awake(None),
            };
            self.give(partition, next);
        }
        self.settle();
        let fatal = self.worker(id).and_then(|w| w.fatal.try_recv().ok());
        if let Some(error) = fatal {
            self.server
                .violations
                .push(format!("worker {id} gives up: {error}"));
        }
    }

    /// The server comes to a call: it is carried out unless it waits for a lock; the answer may be lost.
    pub(super) fn serve(&mut self, place: usize, lose: Option<Loss>) -> bool {
        let pending = {
            let mut calls = locked(&self.calls);
            if place >= calls.pending.len() {
                return false;
            }
            calls.pending.remove(place)
        };
        let answer = match lose {
            Some(Loss::Request) => Err(Refusal::Lost),
            _ => match self.server.execute(pending.worker, &pending.op) {
                Some(answer) => answer,
                None => {
                    locked(&self.calls).pending.insert(place, pending);
                    return false;
                }
            },
        };
        self.calls_made += 1;
        let answer = match lose {
            None => answer,
            Some(loss) => {
                if loss == Loss::Answer && matches!(pending.op, Op::Commit { .. }) {
                    self.server.count("commit whose answer is lost");
                }
                // The connection is gone, and its transaction with it.
                if let Some(tx) = pending.op.transaction() {
                    self.server.abort(tx);
                }
                Err(Refusal::Lost)
            }
        };
        let _ = pending.answer.send(answer);
        if let Some(worker) = self.worker(pending.worker) {
            worker.stirred = true;
        }
        true
    }

    pub(super) fn deliver(&mut self, id: u64, partition: i32, most: i64) {
        let end = self.ends[&partition];
        let Some(worker) = self.worker(id).filter(|w| !w.frozen && w.waiting.is_none()) else {
            return;
        };
        let Some(at) = worker.fetching.get_mut(&partition) else {
            return;
        };
        worker.stirred = true;
        let mut delivered = 0;
        while *at < end && delivered < most {
            if kind(partition, *at) != Kind::Hole {
                worker.feed.deliver(message(partition, *at));
                delivered += 1;
            }
            *at += 1;
        }
        if *at >= end {
            worker.feed.end(&source(partition), NextOffset::new(end));
        }
    }

    /// Everybody wakes up, nothing goes wrong any more: everything must be stored before long.
    pub(super) fn heal(&mut self) {
        self.workers.iter_mut().for_each(|w| w.frozen = false);
        self.awake(None);
        for _ in 0..600 {
            if !self.server.violations.is_empty() {
                return;
            }
            if self.is_done() {
                self.server.check_offsets();
                return;
            }
            self.calm();
            for worker in &mut self.workers {
                worker.pass_time(Duration::from_secs(2));
            }
        }
        let state = format!("{:?}, {:?}", self.group, self.server.progress());
        self.server.violations.push(format!("it stands still: {state}"));
    }

    pub(super) fn is_done(&self) -> bool {
        self.ends
            .iter()
            .all(|(p, end)| self.server.next(*p) == Some(*end))
    }

    /// One round without faults: every worker moves, every call is carried out.
    pub(super) fn calm(&mut self) {
        self.move_workers();
        let mut place = 0;
        while place < locked(&self.calls).pending.len() {
            if !self.serve(place, None) {
                place += 1;
            }
        }
    }

    pub(super) fn move_workers(&mut self) {
        let ids: Vec<u64> = self.workers.iter().map(|w| w.id).collect();
        for (partition, id) in self.group.clone() {
            self.deliver(id, partition, 3);
        }
        for id in ids {
            self.turn(id);
        }
    }
}
