//! What should exist, to the files of each cluster's folder.
//!
//! [`files`] is pure: the same [`Desired`] gives the same bytes. [`mod@write`] brings them to disk
//! and touches nothing that landbridge did not make; [`stale`] says how a folder differs.

pub mod layout;
pub mod lock;
pub mod stale;
pub mod write;
pub mod yaml;

mod disk;
mod kustomization;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::declare_rules;
use crate::diagnostic::Diagnostics;
use crate::resource::Desired;
use layout::{Content, Plan};

/// The files of one cluster: paths relative to its folder, and what they hold.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The first line of every file.
const HEADER: &str = "made by landbridge from the topology; change that, not this file";

/// Says what the files of a cluster would be refused for: resources that collide, names that
/// cannot be files. Nothing is rendered.
pub fn check(desired: &Desired, found: &mut Diagnostics) {
    layout::plan(desired, found);
}

/// Renders one cluster: its documents and objects, a kustomization that lists the objects, and
/// the lock.
///
/// # Errors
/// The findings of [`check`], if there are any.
pub fn files(desired: &Desired) -> Result<Files, Diagnostics> {
    let mut found = Diagnostics::new();
    let plan = layout::plan(desired, &mut found);
    if !found.is_empty() {
        return Err(found);
    }
    let mut files: Files =
        plan.files.iter().map(|(path, content)| (path.clone(), text(content))).collect();
    files.insert(layout::KUSTOMIZATION.to_owned(), list(&plan));
    files.insert(layout::LOCK.to_owned(), lock::Lock::of(&files).text().into_bytes());
    Ok(files)
}

/// Renders the objects of one cluster as one stream, for a reader that applies it as it is:
/// neither values nor patches are in it.
///
/// # Errors
/// The findings of [`check`], if there are any.
pub fn stream(desired: &Desired) -> Result<Vec<u8>, Diagnostics> {
    let mut found = Diagnostics::new();
    let plan = layout::plan(desired, &mut found);
    if !found.is_empty() {
        return Err(found);
    }
    let mut stream = Vec::new();
    for content in plan.files.values().filter(|content| matches!(content, Content::Objects(_))) {
        if !stream.is_empty() {
            stream.extend(b"---\n");
        }
        stream.extend(text(content));
    }
    Ok(stream)
}

fn start() -> String {
    let mut out = String::with_capacity(4 * 1024);
    yaml::comment(&mut out, HEADER);
    out
}

fn list(plan: &Plan<'_>) -> Vec<u8> {
    let objects = |(path, content): (&String, &Content<'_>)| {
        matches!(content, Content::Objects(_)).then(|| path.clone())
    };
    let mut out = start();
    yaml::document(&mut out, &kustomization::of(plan.files.iter().filter_map(objects)));
    out.into_bytes()
}

fn text(content: &Content<'_>) -> Vec<u8> {
    let mut out = start();
    match content {
        Content::Document(document) if document.path.ends_with(".json") => {
            return document.bodies.first().map(json).unwrap_or_default();
        }
        Content::Document(document) => {
            for line in &document.header {
                yaml::comment(&mut out, line);
            }
            stream_of(&mut out, document.bodies.iter());
        }
        Content::Objects(resources) => {
            stream_of(&mut out, resources.iter().map(|resource| &resource.body));
        }
        Content::Patch(resource) => yaml::document(&mut out, &resource.body),
        Content::Component(patches) => {
            let names = patches.iter().map(|patch| layout::patch_file(patch));
            yaml::document(&mut out, &kustomization::component(names));
        }
    }
    out.into_bytes()
}

/// Several documents, one after the other.
fn stream_of<'a>(out: &mut String, bodies: impl Iterator<Item = &'a Value>) {
    for (at, body) in bodies.enumerate() {
        if at > 0 {
            yaml::separator(out);
        }
        yaml::document(out, body);
    }
}

/// JSON with two blanks a level, which has no place for a comment.
fn json(body: &Value) -> Vec<u8> {
    format!("{body:#}\n").into_bytes()
}

declare_rules! {
    /// ## What it does
    /// Reports two resources of one cluster that have the same kind, namespace and name, or that
    /// would be written to the same file, also where a file system ignores case.
    ///
    /// ## Why it matters
    /// Of two objects with one name only one can exist, and of two contents a file holds one: the
    /// other would be lost without a word.
    ///
    /// ## Example
    /// ```yaml
    /// kind: MeshApplication
    /// metadata: {name: payments}
    /// spec:
    ///   namespace: payments
    ///   services: {api: {workload: api, ports: [{port: 80}]}}
    /// ---
    /// kind: MeshApplication
    /// metadata: {name: billing}
    /// spec:
    ///   namespace: payments
    ///   services: {api: {workload: api, ports: [{port: 81}]}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// kind: MeshApplication
    /// metadata: {name: payments}
    /// spec:
    ///   namespace: payments
    ///   services: {api: {workload: api, ports: [{port: 80}]}}
    /// ---
    /// kind: MeshApplication
    /// metadata: {name: billing}
    /// spec:
    ///   namespace: payments
    ///   services: {billing-api: {workload: api, ports: [{port: 81}]}}
    /// ```
    pub static COLLIDING_RESOURCES = { code: "LB0014", name: "colliding-resources", summary: "two resources of one cluster with one name or one file", severity: Error };
}

#[cfg(test)]
mod tests;
