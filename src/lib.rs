//! Compiles one multi-region topology into every cluster's manifests, and checks it.

pub mod system;

pub mod source;

pub mod diagnostic;

pub mod yaml;

pub mod manifest;

pub mod chart;

pub mod expression;

pub mod spec;

pub mod topology;

pub mod address;

pub mod version;

pub mod check;

pub mod resource;

pub mod compile;

pub mod validate;

pub mod policy;

pub mod reach;

pub mod prove;

pub mod upgrade;

pub mod render;

pub mod report;

pub mod cli;

pub use report::rules::{policies, rules};
