//! How much is done at most, whoever does it: whether it was enough does not depend on the order.

use std::sync::atomic::{AtomicUsize, Ordering};

/// An amount of work that several threads share.
#[derive(Debug)]
pub(crate) struct Budget {
    spent: AtomicUsize,
    most: usize,
}

impl Budget {
    /// As much as `most`.
    pub(crate) fn new(most: usize) -> Self {
        Self { spent: AtomicUsize::new(0), most }
    }

    /// Spends some of it; says whether it was there. Once it was not, it never is.
    pub(crate) fn take(&self, some: usize) -> bool {
        let before = self.spent.load(Ordering::Relaxed);
        // More than all of it is as good as all of it and one.
        let some = some.min(self.most.saturating_sub(before).saturating_add(1));
        self.spent.fetch_add(some, Ordering::Relaxed);
        !self.is_spent()
    }

    /// Whether more than all of it was spent.
    pub(crate) fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed) > self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stays_spent() {
        let budget = Budget::new(3);
        assert!(budget.take(2) && budget.take(1) && !budget.is_spent());
        assert!(!budget.take(usize::MAX) && budget.is_spent() && !budget.take(0));
        let all = Budget::new(usize::MAX);
        assert!(all.take(usize::MAX - 1) && !all.is_spent());
    }
}
