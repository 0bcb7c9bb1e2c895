//! The shape of the format, as `schemas/upgrade.v1.json` says.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::super::json::Place;

#[derive(Serialize)]
pub(super) struct Root<'a> {
    pub(super) version: u32,
    pub(super) target: String,
    pub(super) steps: Vec<Step<'a>>,
    /// What in Cilium does it, by name.
    pub(super) causes: BTreeMap<&'a str, Because<'a>>,
    /// Clusters that would take an older version.
    pub(super) backwards: Vec<&'a str>,
    pub(super) notes: &'a [String],
    pub(super) not_checked: Vec<Unchecked<'a>>,
    pub(super) summary: Summary,
}

#[derive(Serialize)]
pub(super) struct Because<'a> {
    pub(super) since: &'a str,
    pub(super) what: &'a str,
    pub(super) help: &'a str,
    pub(super) source: &'a str,
}

#[derive(Serialize)]
pub(super) struct Step<'a> {
    pub(super) to: String,
    /// In the order in which they may be done.
    pub(super) moves: Vec<Move<'a>>,
    pub(super) findings: Vec<Finding<'a>>,
    pub(super) policies: Vec<Policy<'a>>,
    pub(super) values: Vec<Value<'a>>,
    pub(super) flows: Vec<Flow<'a>>,
    /// How many flows change and are not listed.
    pub(super) omitted: usize,
    /// Flows that change only when manifests are rendered anew.
    pub(super) further: Vec<Flow<'a>>,
}

#[derive(Serialize)]
pub(super) struct Move<'a> {
    pub(super) cluster: &'a str,
    pub(super) from: String,
    pub(super) to: String,
}

#[derive(Serialize)]
pub(super) struct Finding<'a> {
    pub(super) code: &'a str,
    pub(super) name: &'a str,
    pub(super) severity: &'a str,
    pub(super) message: &'a str,
    pub(super) help: &'a [String],
    pub(super) notes: &'a [String],
    pub(super) place: Place<'a>,
}

#[derive(Serialize)]
pub(super) struct Policy<'a> {
    pub(super) cluster: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) generated: bool,
    pub(super) fate: &'a str,
    /// Why the one version or the other refuses it.
    pub(super) reason: Option<&'a str>,
    pub(super) causes: Vec<&'a str>,
    pub(super) remarks: Vec<Remark<'a>>,
    pub(super) opens: usize,
    pub(super) closes: usize,
    pub(super) place: Place<'a>,
}

#[derive(Serialize)]
pub(super) struct Remark<'a> {
    pub(super) message: String,
    pub(super) place: Place<'a>,
}

#[derive(Serialize)]
pub(super) struct Value<'a> {
    pub(super) clusters: Vec<&'a str>,
    pub(super) key: &'a str,
    pub(super) sort: &'a str,
    pub(super) message: &'a str,
    pub(super) help: Option<&'a str>,
    pub(super) place: Option<Place<'a>>,
}

#[derive(Serialize)]
pub(super) struct Flow<'a> {
    pub(super) from: Party<'a>,
    pub(super) to: Party<'a>,
    pub(super) opens: Vec<Ports<'a>>,
    pub(super) closes: Vec<Ports<'a>>,
    pub(super) opens_meanwhile: Vec<Ports<'a>>,
    pub(super) closes_meanwhile: Vec<Ports<'a>>,
    /// The cluster whose upgrade does it.
    pub(super) by: &'a str,
    /// Indices into `policies` of the step.
    pub(super) policies: &'a [usize],
    pub(super) causes: Vec<&'a str>,
    /// Whether it is as before when manifests are rendered anew.
    pub(super) mended: bool,
}

#[derive(Serialize)]
pub(super) struct Party<'a> {
    pub(super) name: &'a str,
    pub(super) cluster: Option<&'a str>,
    pub(super) standing: &'a str,
}

#[derive(Serialize)]
pub(super) struct Ports<'a> {
    pub(super) protocol: String,
    pub(super) first: u16,
    pub(super) last: u16,
    /// Where nobody says the number, which means nothing then.
    pub(super) name: Option<&'a str>,
    /// Whether L7 rules limit what goes through.
    pub(super) limited: bool,
}

#[derive(Serialize)]
pub(super) struct Unchecked<'a> {
    pub(super) what: &'a str,
    pub(super) why: &'a str,
    pub(super) place: Place<'a>,
}

#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) opens: usize,
    pub(super) closes: usize,
    pub(super) breaks: usize,
    pub(super) not_checked: usize,
}
