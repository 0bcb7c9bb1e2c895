//! Time of a call.

use std::time::{Duration, Instant};

/// The best time of several calls.
pub(crate) fn timed<T>(times: usize, mut one: impl FnMut() -> T) -> Duration {
    let time = |_| {
        let started = Instant::now();
        std::hint::black_box(one());
        started.elapsed()
    };
    (0..times).map(time).min().expect("there is a call")
}
