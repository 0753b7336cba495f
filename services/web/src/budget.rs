//! What the bodies of requests may take together, and each client of it. What has arrived is counted, not what was
//! announced, so that whoever announces much and sends nothing keeps nobody out.

use crate::problem::Problem;
use listener::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all bodies together may take, in bytes.
const BUDGET: usize = 64 << 20;
/// One client has at most this part of it, so that no single one takes all.
const CLIENT_PART: usize = 4;

/// What bodies have taken, and how many of one client may arrive at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    arriving_max: usize,
    /// What all bodies together may take, in bytes.
    bytes_max: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    clients: HashMap<IpAddr, Part>,
}

#[derive(Debug, Default)]
struct Part {
    bytes: usize,
    arriving: usize,
}

/// What one body has taken, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    client: IpAddr,
    bytes: usize,
    arriving: bool,
}

impl Budget {
    pub(crate) fn new(arriving_max: usize) -> Self {
        Self::of(BUDGET, arriving_max)
    }

    /// The same with another size, where bodies do not lie in memory.
    pub(crate) fn of(bytes_max: usize, arriving_max: usize) -> Self {
        Self { arriving_max, bytes_max, taken: Arc::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A body of `client` begins to arrive.
    pub(crate) fn begin(&self, client: IpAddr) -> Result<Share, Problem> {
        let client = network(client);
        let mut taken = self.taken();
        let may = |part: &Part| part.arriving < self.arriving_max && part.bytes < self.bytes_max / CLIENT_PART;
        if !taken.clients.get(&client).is_none_or(may) {
            return Err(Problem::TooManyBodiesOfOne);
        }
        if taken.bytes >= self.bytes_max {
            return Err(Problem::TooManyBodies);
        }
        taken.clients.entry(client).or_default().arriving += 1;
        drop(taken);
        Ok(Share { budget: self.clone(), client, bytes: 0, arriving: true })
    }
}

impl Share {
    /// So many bytes more have arrived.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let bytes_max = self.budget.bytes_max;
        let mut taken = self.budget.taken();
        let Taken { bytes: all, clients } = &mut *taken;
        let part = clients.entry(self.client).or_default();
        if part.bytes + bytes > bytes_max / CLIENT_PART {
            return Err(Problem::TooManyBodiesOfOne);
        }
        if *all + bytes > bytes_max {
            return Err(Problem::TooManyBodies);
        }
        part.bytes += bytes;
        *all += bytes;
        self.bytes += bytes;
        Ok(())
    }

    /// All of it has arrived.
    pub(crate) fn arrived(&mut self) {
        if std::mem::take(&mut self.arriving) {
            self.budget.taken().clients.entry(self.client).or_default().arriving -= 1;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.arrived();
        let mut taken = self.budget.taken();
        taken.bytes -= self.bytes;
        let part = taken.clients.entry(self.client).or_default();
        part.bytes -= self.bytes;
        if part.bytes == 0 && part.arriving == 0 {
            taken.clients.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u32) -> IpAddr {
        IpAddr::V4((0xc000_0200 + number).into())
    }

    #[test]
    fn a_client_has_its_part_and_all_together_the_whole() {
        let budget = Budget::new(8);
        let mut first = budget.begin(client(1)).unwrap();
        first.take(BUDGET / CLIENT_PART).unwrap();
        assert!(matches!(first.take(1), Err(Problem::TooManyBodiesOfOne)));
        assert!(matches!(budget.begin(client(1)), Err(Problem::TooManyBodiesOfOne)));
        let mut others: Vec<_> = (2..=4).map(|number| budget.begin(client(number)).unwrap()).collect();
        others.iter_mut().for_each(|share| share.take(BUDGET / CLIENT_PART).unwrap());
        assert!(matches!(budget.begin(client(5)), Err(Problem::TooManyBodies)));
        drop(first);
        budget.begin(client(5)).unwrap().take(1).unwrap();
        drop(others);
        let taken = budget.taken();
        assert_eq!((taken.bytes, taken.clients.len()), (0, 0), "nothing is kept of whoever has gone");
    }

    #[test]
    fn few_of_one_client_arrive_at_once_and_one_that_has_arrived_makes_room() {
        let budget = Budget::new(2);
        let mut shares = [budget.begin(client(1)).unwrap(), budget.begin(client(1)).unwrap()];
        assert!(matches!(budget.begin(client(1)), Err(Problem::TooManyBodiesOfOne)));
        assert!(budget.begin(client(2)).is_ok());
        shares[0].arrived();
        assert!(budget.begin(client(1)).is_ok());
        let network = "2001:db8::1".parse().unwrap();
        let held = (budget.begin(network).unwrap(), budget.begin("2001:db8::2".parse().unwrap()).unwrap());
        assert!(budget.begin(network).is_err(), "a network of IPv6 is one client");
        drop(held);
    }
}
