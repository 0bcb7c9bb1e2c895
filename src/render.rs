//! What should exist, to the files of each cluster's folder.

pub mod yaml;
