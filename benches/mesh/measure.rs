//! Time and memory of a program.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run of a program took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) time: Duration,
    /// The most memory that it held, in bytes; nothing where the system does not say.
    pub(crate) memory: Option<u64>,
}

/// What `landbridge` ends with where nothing is wrong and something could not be checked.
const INCOMPLETE: i32 = 3;

/// Runs a program to its end, which must be a success.
pub(crate) fn run(command: &mut Command) -> Run {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    // The kernel keeps the high-water mark until the process ends, so that only the last moments
    // before the end go unseen.
    let watch = std::thread::spawn(move || {
        let mut most = None;
        while let Some(now) = high_water(&status) {
            most = Some(now);
            std::thread::sleep(Duration::from_millis(2));
        }
        most
    });
    let ended = child.wait().expect("the program ends");
    let time = started.elapsed();
    let incomplete = ended.code() == Some(INCOMPLETE);
    assert!(ended.success() || incomplete, "{command:?} ended with {ended}");
    Run { time, memory: watch.join().expect("the watch ends") }
}

fn high_water(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The best of several runs, with the most memory of any.
pub(crate) fn best(times: usize, mut one: impl FnMut() -> Run) -> Run {
    best_of(&(0..times).map(|_| one()).collect::<Vec<_>>())
}

/// The best time of some runs, with the most memory of any.
pub(crate) fn best_of(runs: &[Run]) -> Run {
    let time = runs.iter().map(|run| run.time).min().expect("there is a run");
    Run { time, memory: runs.iter().filter_map(|run| run.memory).max() }
}
