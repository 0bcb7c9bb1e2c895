//! Zones, issuers and requests of a world.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::world::World;

/// The `dns` and `certificates` of a Topology.
pub(crate) fn sections(world: &World, dice: &mut Dice, spec: &mut Map<String, Value>) {
    let names = ["example.com", "eu.example.com", "example.org", "Example.NET.", "on.no.example"];
    let names = dice.some(&names);
    let zones: Vec<_> = names.iter().map(|name| zone(name, world, dice)).collect();
    spec.insert("dns".into(), json!({"zones": zones}));
    let clusters: Vec<_> = (0..world.clusters.len()).collect();
    let mut issuers = Map::new();
    let mut acme = json!({"server": dice.pick(&["production", "staging", "https://ca.example/dir"]),
        "zones": names});
    for (key, value) in [
        ("email", json!("platform@example.com")),
        ("accountKeySecret", json!("account.key")),
        ("preferredChain", json!("ISRG Root X1: \"the\" root")),
        ("externalAccountBinding", json!({"keyID": "no", "keySecret": {"name": "b", "key": "k"}})),
    ] {
        if dice.chance(30) {
            acme[key] = value;
        }
    }
    issuers.insert("acme".into(), acme);
    if dice.chance(40) {
        issuers.insert("own.ca".into(), json!({"caSecret": "own-ca"}));
    }
    if dice.chance(20) {
        let some = world.names(&dice.some(&clusters));
        issuers.insert("self".into(), json!({"selfSigned": true, "clusters": some}));
    }
    let mut requests = Map::new();
    for (at, zone) in names.iter().enumerate() {
        let mut request = json!({"issuer": "acme"});
        // Let's Encrypt issues five of one set of names in a week.
        let few = dice.some(&clusters);
        request["clusters"] = world.names(&few[..few.len().min(5)]).into();
        certificate(&mut request, at, dice);
        let name = match dice.below(3) {
            0 => (*zone).to_owned(),
            1 => format!("*.{zone}"),
            _ => format!("api-{at}.{zone}"),
        };
        if dice.chance(30) {
            request["names"] = json!([format!("further.{zone}")]);
        }
        requests.insert(name, request);
    }
    if issuers.contains_key("own.ca") {
        let mut request = json!({"issuer": "own.ca"});
        certificate(&mut request, 100, dice);
        requests.insert("db.internal".into(), request);
    }
    let mut certificates = json!({"issuers": issuers, "requests": requests});
    if dice.chance(20) {
        certificates["certManager"] = json!({"namespace": "certs", "serviceAccount": "cm.own"});
    }
    spec.insert("certificates".into(), certificates);
}

/// The keys of a Certificate, or none of them.
fn certificate(request: &mut Value, number: usize, dice: &mut Dice) {
    if dice.chance(30) {
        return;
    }
    request["namespace"] = format!("certs-{number}").into();
    if dice.chance(30) {
        request["secretName"] = "the.secret".into();
    }
    if dice.chance(40) {
        request["duration"] = (*dice.pick(&["60d", "90m", "48h", "5400s"])).into();
        request["renewBefore"] = (*dice.pick(&["5m", "30m", "600s"])).into();
    }
    if dice.chance(50) {
        request["privateKey"] = dice
            .pick(&[
                json!({}),
                json!({"algorithm": "ECDSA", "size": 521}),
                json!({"size": 4096, "rotationPolicy": "Never"}),
                json!({"algorithm": "Ed25519"}),
            ])
            .clone();
    }
}

fn zone(name: &str, world: &World, dice: &mut Dice) -> Value {
    let mut zone = json!({"name": name});
    if dice.chance(20) {
        zone["followCNAME"] = true.into();
    }
    match dice.below(4) {
        0 => {
            zone["provider"] = "cloudflare".into();
            zone["tokenSecret"] = json!({"name": "cloudflare", "key": "api-token"});
        }
        1 => {
            zone["provider"] = "other".into();
            zone["solver"] = solver(dice);
        }
        _ => route53(&mut zone, world, dice),
    }
    zone
}

fn route53(zone: &mut Value, world: &World, dice: &mut Dice) {
    zone["provider"] = "route53".into();
    if dice.chance(60) {
        zone["hostedZoneID"] = "Z0123456789ABCDEFGHIJ".into();
    }
    if dice.chance(30) {
        zone["region"] = "eu-central-1".into();
    }
    if dice.chance(30) {
        zone["accessKey"] = json!({
            "idSecret": {"name": "route53", "key": "id"},
            "secret": {"name": "route53", "key": "secret"},
        });
        return;
    }
    // A trust policy has room for few clusters, and cert-manager's own account has one role.
    let shared = "arn:aws-cn:iam::012345678901:role/dns01";
    let mut roles = vec![
        "arn:aws:iam::111122223333:role/dns01-{cluster}",
        "arn:aws-us-gov:iam::444455556666:role/path/{cluster}+dns=01",
    ];
    if world.clusters.len() <= 4 {
        roles.push(shared);
    }
    match dice.below(5) {
        0 if world.identities => {
            zone["credentials"] = "irsa".into();
            roles.truncate(1);
        }
        1 if world.identities => zone["credentials"] = "service-account".into(),
        2 => zone["credentials"] = "ambient".into(),
        _ => {}
    }
    zone["role"] = (*dice.pick(&roles)).into();
}

fn solver(dice: &mut Dice) -> Value {
    let secret = json!({"name": "s", "key": "k"});
    let solvers = [
        json!({"acmeDNS": {"host": "https://a.example", "accountSecretRef": {"name": "s"}}}),
        json!({"akamai": {"serviceConsumerDomain": "a.example", "clientTokenSecretRef": secret,
            "clientSecretSecretRef": secret, "accessTokenSecretRef": secret}}),
        json!({"azureDNS": {"subscriptionID": "a", "resourceGroupName": "b",
            "environment": "AzurePublicCloud", "managedIdentity": {"clientID": "c"}}}),
        json!({"cloudDNS": {"project": "p", "serviceAccountSecretRef": secret}}),
        json!({"digitalocean": {"tokenSecretRef": secret}}),
        json!({"rfc2136": {"nameserver": "10.0.0.53", "protocol": "TCP", "tsigKeyName": "no"}}),
        json!({"webhook": {"groupName": "a.example", "solverName": "b",
            "config": {"no": "on", "list": [1, "1", null, true, 1.5], "empty": {}}}}),
    ];
    dice.pick(&solvers).clone()
}
