//! Tests of the whole, in one binary.

mod architecture;
mod chart_table;
mod crds;
mod go_yaml;
mod golden;
mod kustomize;
mod report;
mod tools;
mod written_yaml;
