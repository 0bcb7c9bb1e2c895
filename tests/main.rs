//! Tests of the whole, in one binary.

mod architecture;
mod chart_table;
mod chart_values;
mod commands;
mod crds;
mod generated;
mod gitops;
mod go_flux;
mod go_yaml;
mod golden;
mod hazards;
mod hostile;
mod iam;
mod installers;
mod kustomize;
mod language;
mod projects;
mod random;
mod report;
mod rules;
mod solvers;
mod terraform;
mod tools;
mod tree;
mod written_yaml;
