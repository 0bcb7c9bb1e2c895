//! Cluster documents.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::topology::values;
use super::world::World;

/// The document of a cluster.
pub(crate) fn document(world: &World, cluster: usize, dice: &mut Dice) -> Value {
    let place = &world.clusters[cluster];
    let mut spec = Map::new();
    let network = &world.networks[place.network];
    spec.insert("region".into(), world.regions[network.region].0.as_str().into());
    if world.networks_of(network.region).count() > 1 || dice.chance(50) {
        spec.insert("network".into(), network.name.as_str().into());
    }
    spec.insert("id".into(), place.id.into());
    if place.passive || dice.chance(10) {
        let role = if place.passive { "passive" } else { "active" };
        spec.insert("role".into(), role.into());
    }
    if !place.member || dice.chance(10) {
        spec.insert("mesh".into(), place.member.into());
    }
    if place.cilium != world.cilium {
        spec.insert("versions".into(), json!({"cilium": place.cilium}));
    }
    if dice.chance(30) {
        let first = dice.between(16, place.minor);
        spec.insert("upgradeCompatibility".into(), format!("1.{first}").into());
    }
    addresses(world, cluster, dice, &mut spec);
    let replaced = kubernetes(place.network, dice, &mut spec);
    balancers(world, cluster, replaced, dice, &mut spec);
    spec.insert("clustermesh".into(), clustermesh(world, cluster, dice));
    others(replaced, dice, &mut spec);
    // Outside of AWS a role is taken by a token, or not at all.
    let aws = world.regions[network.region].1 == "aws";
    if !aws || world.identities || dice.chance(50) {
        let issuer = format!("https://oidc.example.com/id/{cluster}/");
        spec.insert("identity".into(), json!({"oidcIssuer": issuer}));
    }
    json!({
        "apiVersion": "landbridge.dev/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": place.name},
        "spec": spec,
    })
}

fn addresses(world: &World, cluster: usize, dice: &mut Dice, spec: &mut Map<String, Value>) {
    let place = &world.clusters[cluster];
    let (network, slot) = (place.network, place.slot);
    let nodes = world.family.ranges(
        format!("10.{network}.{}.0/20", slot * 16),
        format!("fd00:{network:x}:0:{slot:x}::/64"),
    );
    spec.insert("nodeCIDRs".into(), nodes.into());
    // Behind gateways pod ranges may repeat.
    let number = if world.flat { cluster } else { 0 };
    let mut pods = world
        .family
        .ranges(format!("10.{}.0.0/16", 128 + number), format!("fd64:{number:x}::/104"));
    if world.family.v4() && dice.chance(20) {
        pods[0] = format!("10.{}.0.0/17", 128 + number);
        pods.insert(1, format!("10.{}.128.0/17", 128 + number));
    }
    let services =
        world.family.ranges(format!("172.20.{number}.0/24"), format!("fd96:{number:x}::/112"));
    spec.insert("serviceCIDRs".into(), services.into());
    let ipam = ipam(world, cluster, &pods, dice);
    if !place.eni {
        spec.insert("podCIDRs".into(), pods.into());
    }
    spec.extend(ipam.map(|ipam| ("ipam".to_owned(), ipam)));
    if dice.chance(50) {
        spec.insert("maxNodes".into(), dice.between(1, 60).into());
    }
    if dice.chance(30) {
        spec.insert("maxPods".into(), dice.between(1, if place.eni { 10 } else { 64 }).into());
    }
}

fn ipam(world: &World, cluster: usize, pods: &[String], dice: &mut Dice) -> Option<Value> {
    let place = &world.clusters[cluster];
    if place.eni {
        return Some(json!({"mode": "eni"}));
    }
    let pools = world.native || place.minor >= 19;
    match dice.below(5) {
        0 => None,
        // Kubernetes gives shares of one range of each family.
        1 if pods.len() < 2 || world.family.v6() && pods.len() == 2 => {
            Some(json!({"mode": "kubernetes"}))
        }
        2 => Some(json!({"mode": "delegated"})),
        3 if pools => Some(json!({"mode": "multi-pool", "pools": {
            "default": {"cidrs": pods, "maskSize": {"ipv4": 26, "ipv6": 122}},
        }})),
        _ => Some(json!({"mode": "cluster-pool", "maskSize": {
            "ipv4": dice.between(24, 26), "ipv6": dice.between(118, 120),
        }})),
    }
}

/// The installation; gives whether Cilium replaces kube-proxy.
fn kubernetes(network: usize, dice: &mut Dice, spec: &mut Map<String, Value>) -> bool {
    let distributions = ["kubeadm", "eks", "aks", "gke", "talos", "k3s", "kind", "other"];
    let distribution = *dice.pick(&distributions);
    if dice.chance(80) {
        spec.insert("distribution".into(), distribution.into());
    }
    let proxy = *dice.pick(&["replaced", "replaced", "iptables", "nftables"]);
    spec.insert("kubeProxy".into(), proxy.into());
    let server = [json!({"host": "api.example.com"}), json!({"host": "fd00::1", "port": 443})];
    let mut server = dice.pick(&server).clone();
    if dice.chance(30) {
        server = json!({"host": format!("10.{network}.0.10"), "port": 6443});
    }
    spec.insert("apiServer".into(), server);
    proxy == "replaced"
}

fn balancers(
    world: &World,
    cluster: usize,
    replaced: bool,
    dice: &mut Dice,
    spec: &mut Map<String, Value>,
) {
    let place = &world.clusters[cluster];
    let own: &[&str] = match world.regions[world.networks[place.network].region].1 {
        "aws" => &["aws-load-balancer-controller", "cloud-provider-aws"],
        "azure" => &["azure"],
        "gcp" => &["gcp"],
        _ => &["lb-ipam", "metallb", "tailscale", "other"],
    };
    let controller = *dice.pick(own);
    let mut balancers = json!({"controller": controller});
    if matches!(controller, "lb-ipam" | "metallb") {
        let v4 = format!("10.{}.{}", place.network, 240 + place.slot);
        let v6 = format!("fd00:{:x}:0:ff{:02x}:", place.network, place.slot);
        let mut ranges = Vec::new();
        if world.family.v4() && dice.chance(50) {
            ranges.push(format!("{v4}.10-{v4}.99"));
        } else if world.family.v4() {
            ranges.extend([format!("{v4}.0/25"), format!("{v4}.128 - {v4}.140")]);
        }
        if world.family.v6() {
            ranges.push(dice.pick(&[format!("{v6}:1-{v6}:ff"), format!("{v6}:/120")]).clone());
        }
        balancers["ranges"] = ranges.into();
    }
    if controller == "lb-ipam" {
        let ways: &[&str] = if replaced { &["bgp", "l2"] } else { &["bgp"] };
        balancers["announce"] = (*dice.pick(ways)).into();
        announcement(&mut balancers, dice);
    }
    spec.insert("loadBalancers".into(), balancers);
}

fn announcement(balancers: &mut Value, dice: &mut Dice) {
    if dice.chance(40) {
        balancers["nodes"] = json!({"example.com/edge": "true", "rack": "no"});
    }
    if balancers["announce"] == "l2" && dice.chance(40) {
        balancers["interfaces"] = json!(["^eth[0-9]+$", "bond0"]);
    }
    if balancers["announce"] == "bgp" {
        let mut peers = json!({"tor": {"address": "192.0.2.1", "asn": 64_500}});
        if dice.chance(50) {
            peers["8a"] = json!({
                "address": "2001:db8::1", "asn": 4_200_000_000_u32,
                "authSecret": "tor.password", "multihop": dice.between(1, 255),
            });
        }
        balancers["bgp"] = json!({"localASN": 64_512, "peers": peers});
    }
}

fn clustermesh(world: &World, cluster: usize, dice: &mut Dice) -> Value {
    let place = &world.clusters[cluster];
    let mut service = json!({"type": dice.pick(&["LoadBalancer", "LoadBalancer", "NodePort"])});
    if service["type"] == "NodePort" {
        service["nodePort"] = dice.between(30_000, 32_767).into();
    } else {
        service["scheme"] = json!(dice.pick(&["internal", "internet-facing"]));
        if service["scheme"] == "internet-facing" || dice.chance(20) {
            let ranges = world.family.ranges("198.51.100.0/24".into(), "2001:db8::/32".into());
            service["sourceRanges"] = ranges.into();
        }
        if dice.chance(20) {
            service["loadBalancerClass"] = "example.com/own".into();
        }
    }
    if dice.chance(30) {
        service["annotations"] = json!({"example.com/z": "no", "example.com/a": "10", "b": ""});
    }
    let ips = world.family.ranges(
        format!("10.{}.{}.20", place.network, 240 + place.slot),
        format!("fd00:{:x}:0:ff{:02x}::20", place.network, place.slot),
    );
    let endpoint = if dice.chance(60) {
        json!({"ips": ips})
    } else {
        json!({"hostname": format!("mesh-{cluster}.example.com")})
    };
    let mut mesh = json!({"endpoint": endpoint});
    if dice.chance(70) {
        mesh["service"] = service;
    }
    if dice.chance(30) {
        mesh["endpoint"]["port"] = dice.between(1, 65_535).into();
    }
    if dice.chance(30) {
        mesh["replicas"] = dice.between(1, 3).into();
    }
    mesh
}

fn others(replaced: bool, dice: &mut Dice, spec: &mut Map<String, Value>) {
    if dice.chance(40) {
        let modes = [json!(true), json!(false), json!("host"), json!("redirect")];
        let mode = dice.pick(if replaced { &modes } else { &modes[..3] });
        let mut dns = json!({"nodeLocal": mode});
        if dice.chance(40) {
            dns["namespace"] = "dns".into();
            dns["selector"] = json!({"app.kubernetes.io/name": "coredns", "on": "true"});
            dns["nodeLocalIP"] = "169.254.25.10".into();
        }
        spec.insert("dns".into(), dns);
    }
    if dice.chance(30) {
        spec.insert("masquerade".into(), json!({"bpf": replaced && dice.chance(50)}));
    }
    match dice.below(4) {
        0 => spec.insert("hubble".into(), json!({"enabled": true, "relay": true, "ui": true})),
        1 => spec.insert("hubble".into(), json!({"enabled": false, "relay": false, "ui": false})),
        _ => None,
    };
    if dice.chance(20) {
        let mut plane = json!({"zones": ["a", "b", "c"]});
        if dice.chance(50) {
            plane["members"] = dice.pick(&[1, 3, 5]).to_owned().into();
            plane["heartbeat"] = "200ms".into();
            plane["election"] = "2s".into();
        }
        spec.insert("controlPlane".into(), plane);
    }
    if dice.chance(20) {
        spec.insert("access".into(), json!({"context": "some context"}));
    }
    if dice.chance(25) {
        spec.insert("ciliumValues".into(), values(dice));
    }
}
