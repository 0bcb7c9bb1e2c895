//! Zones, and names by which users reach the clusters.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::world::World;

/// Regions of AWS, more than a world has clusters.
const REGIONS: [&str; 12] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "sa-east-1",
];

/// Adds zones and entrypoints to the documents, the Topology's first and then the clusters'.
pub(crate) fn add(world: &World, documents: &mut [Value], dice: &mut Dice) {
    if dice.chance(40) {
        return;
    }
    let passive: Vec<bool> =
        (1..=world.clusters.len()).map(|at| documents[at]["spec"]["role"] == "passive").collect();
    let mut zones = vec![
        json!({"name": "Entry.example.", "provider": "route53", "hostedZoneID": "Z0123456789ABC"}),
        json!({"name": "in.entry.example", "provider": "route53", "private": true}),
        json!({"name": "cf.example", "provider": "cloudflare",
            "tokenSecret": {"name": "cloudflare", "key": "api-token"}}),
    ];
    let there = documents[0]["spec"]["dns"]["zones"].as_array().cloned();
    zones.extend(there.unwrap_or_default());
    dice.shuffle(&mut zones);
    let mut dns = json!({"zones": zones});
    if dice.chance(50) {
        dns["externalDNS"] = external_dns(dice);
    }
    let mut entrypoints = Map::new();
    for (routing, name) in [
        ("latency", "api.entry.example"),
        ("failover", "shop.In.entry.example"),
        ("weighted", "*.entry.example"),
        ("geolocation", "entry.example"),
        ("anycast", "elsewhere.example.org"),
    ] {
        if dice.chance(50) {
            entrypoints.extend(
                entrypoint(world, &passive, routing, dice).map(|one| (name.to_owned(), one)),
            );
        }
    }
    if dice.chance(30) {
        let target = json!({"addresses": ["203.0.113.7"], "weight": 1});
        let targets = Map::from_iter([(world.clusters[0].name.clone(), target)]);
        let one = json!({"routing": "weighted", "targets": targets});
        entrypoints.insert("status.cf.example".to_owned(), one);
    }
    documents[0]["spec"]["dns"] = dns;
    documents[0]["spec"]["entrypoints"] = entrypoints.into();
}

fn external_dns(dice: &mut Dice) -> Value {
    let mut own = json!({"policy": dice.pick(&["sync", "upsert-only", "create-only"])});
    if dice.chance(50) {
        own["namespace"] = "dns".into();
        own["ownerID"] = "owner of {cluster}".into();
        own["role"] = "arn:aws-cn:iam::012345678901:role/dns-{cluster}".into();
    }
    if dice.chance(30) {
        own["values"] = json!({"interval": "1m", "env": null});
    }
    own
}

/// An entrypoint that is right, if the world has what its routing needs.
fn entrypoint(world: &World, passive: &[bool], routing: &str, dice: &mut Dice) -> Option<Value> {
    let mut clusters: Vec<usize> = (0..world.clusters.len()).collect();
    if routing == "failover" {
        let primary = passive.iter().position(|passive| !passive)?;
        let several = clusters.iter().any(|other| world.region(*other) != world.region(primary));
        let second = clusters.iter().copied().find(|other| {
            *other != primary && (!several || world.region(*other) != world.region(primary))
        })?;
        clusters = vec![primary, second];
    }
    let targets = clusters.iter().enumerate().map(|(at, cluster)| {
        let target = target(routing, at, dice);
        (world.clusters[*cluster].name.clone(), target)
    });
    let mut out = json!({"routing": routing, "targets": targets.collect::<Map<_, _>>()});
    let (interval, threshold) = (*dice.pick(&[10, 30]), dice.between(1, 10));
    let ttl = dice.between(1, 90);
    if dice.chance(70) {
        out["ttl"] = format!("{ttl}s").into();
        out["healthCheck"] =
            json!({"interval": format!("{interval}s"), "failureThreshold": threshold});
        if dice.chance(50) {
            out["recoveryTime"] = format!("{}s", interval * threshold + ttl.max(60)).into();
        }
    }
    if routing == "anycast" && dice.chance(50) {
        out["accelerator"] = json!({"name": "shop"});
    }
    Some(out)
}

fn target(routing: &str, at: usize, dice: &mut Dice) -> Value {
    if routing == "anycast" {
        let region = REGIONS[at];
        let arn =
            format!("arn:aws:elasticloadbalancing:{region}:012345678901:loadbalancer/net/a/{at}");
        return json!({"loadBalancer": arn, "dial": 100 - at, "listeners": [443]});
    }
    let mut target = json!({"healthCheckID": format!("{at:08x}-1111")});
    if dice.chance(50) {
        target["addresses"] = json!([format!("203.0.113.{at}"), format!("2001:db8::{at:x}")]);
    } else {
        target["hostname"] = format!("LB-{at}.elb.us-east-1.amazonaws.com").into();
    }
    match routing {
        "latency" => target["awsRegion"] = REGIONS[at].into(),
        "failover" => target["failover"] = ["primary", "secondary"][at].into(),
        "weighted" => target["weight"] = (255 - at).into(),
        _ if at == 0 => target["geolocation"] = json!([{"country": "*"}, {"continent": "EU"}]),
        _ => target["geolocation"] = json!({"country": "US", "subdivision": format!("A{at}")}),
    }
    target
}
