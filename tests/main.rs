//! Tests of the whole, in one binary.

mod architecture;
mod go_yaml;
mod tools;
