//! Projects that mean harm, through the real program: each is a located error within bounded time
//! and memory, and nothing is written.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "the tests write files and run the program")]

mod attack;
mod files;
mod many;
mod mutated;
mod names;
mod network_policies;
mod output;
mod policies;
mod text;
