//! `dns/expected-accelerators.yaml`: what AWS Global Accelerator should be set to for this
//! cluster, for a reader and for drift. Nothing applies it.
//!
//! It has this cluster's part of each accelerator, so that another cluster changes nothing here.
//! Source: Global Accelerator's API, `Accelerator`, `Listener`, `EndpointGroup`.

use serde_json::{Map, Value, json};

use super::Input;
use crate::resource::{Desired, Document};
use crate::spec::dns::EntrypointRouting;
use crate::topology::dns::{Entrypoint, INTERVAL, THRESHOLD, Target};

/// The weight of an endpoint where nobody says one.
/// Source: Global Accelerator's API, `EndpointConfiguration`.
const WEIGHT: i64 = 128;

/// Adds the expectations of each anycast entrypoint that the cluster answers for.
pub(super) fn generate(input: &Input<'_>, desired: &mut Desired) {
    let Input { topology, id, .. } = *input;
    let anycast = topology
        .entrypoints
        .iter()
        .filter(|entrypoint| entrypoint.routing.value == EntrypointRouting::Anycast);
    let own: Vec<(&Entrypoint, &Target)> = anycast
        .filter_map(|entrypoint| {
            let targets = &entrypoint.targets;
            let at = targets.binary_search_by_key(&id, |target| target.cluster).ok()?;
            Some((entrypoint, &targets[at]))
        })
        .collect();
    let Some((_, first)) = own.first() else { return };
    let accelerators: Vec<_> =
        own.iter().map(|(entrypoint, own)| expected(entrypoint, own)).collect();
    desired.documents.push(Document {
        path: "dns/expected-accelerators.yaml".into(),
        header: vec![
            format!("Expected of AWS Global Accelerator for cluster {}", desired.cluster),
            "nothing applies this file".to_owned(),
        ],
        bodies: vec![json!({ "accelerators": accelerators })],
        origin: first.span,
    });
}

fn expected(entrypoint: &Entrypoint, target: &Target) -> Value {
    let mut out = Map::new();
    out.insert("entrypoint".to_owned(), entrypoint.name.value.as_str().into());
    if let Some(accelerator) = &entrypoint.accelerator {
        let known = [
            ("name", &accelerator.name),
            ("arn", &accelerator.arn),
            ("dnsName", &accelerator.dns_name),
        ];
        for (key, value) in known {
            out.extend(value.clone().map(|value| (key.to_owned(), value.into())));
        }
    }
    if !target.listeners.is_empty() {
        let listeners = target.listeners.iter();
        let listeners = listeners.map(
            |port| json!({"protocol": "TCP", "portRanges": [{"fromPort": port, "toPort": port}]}),
        );
        out.insert("listeners".to_owned(), listeners.collect());
    }
    out.insert("endpointGroup".to_owned(), group(entrypoint, target));
    out.into()
}

/// The group of the cluster's region, with the cluster's own endpoint.
fn group(entrypoint: &Entrypoint, target: &Target) -> Value {
    let mut out = Map::new();
    let region = target.aws_region.as_ref().map(|region| region.value.as_str());
    out.extend(region.map(|region| ("region".to_owned(), region.into())));
    out.insert("trafficDialPercentage".to_owned(), target.dial().into());
    if let Some(check) = &entrypoint.health_check {
        let interval = check.interval.as_ref().map_or(INTERVAL, |interval| interval.value);
        let threshold = check.failure_threshold.as_ref().map_or(THRESHOLD, |n| n.value);
        let mut asked = Map::new();
        asked.extend(check.path.clone().map(|path| ("path".to_owned(), path.into())));
        asked.extend(check.port.map(|port| ("port".to_owned(), port.into())));
        asked.insert("intervalSeconds".to_owned(), interval.as_secs().into());
        asked.insert("thresholdCount".to_owned(), threshold.into());
        out.insert("healthCheck".to_owned(), asked.into());
    }
    let weight = target.weight.as_ref().map_or(WEIGHT, |weight| weight.value);
    let id = target.load_balancer.as_ref().map(|arn| arn.value.as_str());
    out.insert("endpoints".to_owned(), json!([{"endpointId": id, "weight": weight}]));
    out.into()
}
