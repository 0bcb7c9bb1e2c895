//! Gateways of the clusters that can have one, and routes to services, with the flows they need.

use serde_json::{Map, Value, json};

use super::application::Declared;
use super::dice::Dice;
use super::world::World;

/// Adds gateways to a Topology, and routes and flows to the applications of a project.
pub(crate) fn add(world: &World, declared: &Declared, documents: &mut [Value], dice: &mut Dice) {
    let able: Vec<usize> = (0..world.clusters.len())
        .filter(|cluster| {
            let name = &world.names(&[*cluster])[0];
            let own = documents.iter().find(|document| {
                document["kind"] == "Cluster" && document["metadata"]["name"] == json!(name)
            });
            own.is_some_and(|own| own["spec"]["kubeProxy"] == "replaced")
        })
        .collect();
    if able.is_empty() || dice.chance(40) {
        return;
    }
    let clusters = dice.some(&able);
    let annotations = json!({"example.com/z": "no", "example.com/a": "10"});
    let gateway = json!({
        "namespace": dice.pick(&["ingress", "payments", "on"]),
        "clusters": world.names(&clusters),
        "class": dice.pick(&["cilium", "envoy"]),
        "scheme": dice.pick(&["internal", "internet-facing"]),
        "annotations": if dice.chance(50) { annotations } else { json!({}) },
        "listeners": {
            "http": {"port": 80, "protocol": "HTTP"},
            "8a": {
                "port": 443, "protocol": "HTTPS", "hostname": "*.example.com",
                "certificate": "example.com",
            },
        },
    });
    documents[0]["spec"]["gateways"] = json!({ "public": gateway });
    for document in documents.iter_mut().filter(|document| document["kind"] == "MeshApplication") {
        let names: Vec<String> = document["spec"]["services"]
            .as_object()
            .map(|services| services.keys().cloned().collect())
            .unwrap_or_default();
        let (mut routes, mut to) = (Map::new(), Vec::new());
        for name in names {
            if dice.chance(60) {
                continue;
            }
            let namespace = document["spec"]["namespace"].clone();
            let route = route(world, declared, document, (&namespace, &name), &clusters, dice);
            if let Some(route) = route {
                routes.insert(name.clone(), route);
                to.push(name);
            }
        }
        if !routes.is_empty() {
            document["spec"]["routes"] = routes.into();
            document["spec"]["flows"]["by-gateway"] =
                json!({"from": [{"entity": dice.pick(&["ingress", "all"])}], "to": to});
        }
    }
}

/// A route in those clusters of the gateway that run a service.
fn route(
    world: &World,
    declared: &Declared,
    document: &Value,
    (namespace, name): (&Value, &str),
    gateway: &[usize],
    dice: &mut Dice,
) -> Option<Value> {
    let own =
        declared.services.iter().find(|own| *namespace == own.namespace && own.name == name)?;
    let written = &document["spec"]["services"][name];
    let clusters: Vec<usize> =
        own.clusters.iter().copied().filter(|cluster| gateway.contains(cluster)).collect();
    if clusters.is_empty() || written["headless"] == true {
        return None;
    }
    let mut route = json!({
        "gateway": "public",
        "clusters": world.names(&clusters),
        "to": [{"service": name, "port": 80, "weight": dice.between(0, 100)}],
    });
    if dice.chance(50) {
        route["hosts"] =
            dice.pick(&[json!("*.example.com"), json!(["a.example.com", "b.c"])]).clone();
    }
    if dice.chance(30) {
        route["listener"] = "http".into();
    }
    if dice.chance(50) {
        route["paths"] = dice.pick(&[json!("/"), json!(["/v1", "/a$b"])]).clone();
    }
    Some(route)
}
