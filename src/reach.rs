//! Who may reach whom, over all clusters at once.
//!
//! A [`Mesh`] is every cluster with its policies as its Cilium reads them, and everyone who may
//! take part in a flow: declared workloads, what was found beside them, and what may stand beside
//! them. What a policy decides is asked of [`crate::policy`]; here both ends of a flow meet.

pub mod declared;
pub mod diff;
pub mod engine;
pub mod explain;
pub mod found;
pub mod group;
pub mod matrix;
pub mod mesh;
pub mod objects;
pub mod outside;
pub mod possible;
pub mod profile;
pub mod question;
pub mod service;
pub mod settings;

pub(crate) mod budget;
mod distinct;
mod index;
#[cfg(test)]
pub(crate) mod sample;

pub use engine::{Admitted, Party, Reach};
pub use mesh::{Endpoint, EndpointId, Member, Mesh, Origin, Standing, WrittenPolicy};
