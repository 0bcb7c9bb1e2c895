//! The Topology document of a world.

use serde_json::{Map, Value, json};

use super::certificates;
use super::dice::Dice;
use super::world::World;

/// The document, but for what it includes.
pub(crate) fn document(world: &World, dice: &mut Dice) -> Value {
    let mut spec = Map::new();
    spec.insert("versions".into(), versions(world, dice));
    if dice.chance(30) {
        spec.insert("policies".into(), policies(dice));
    }
    let mesh = mesh(world, dice);
    let said = |key: &str| mesh.get(key).is_some();
    let said = (said("latencyBudget"), said("mtu"));
    spec.insert("mesh".into(), mesh);
    spec.insert("regions".into(), regions(world, dice));
    if world.networks.len() > 1 {
        spec.insert("interconnects".into(), json!([interconnect(world, said, dice)]));
    }
    spec.insert("externals".into(), externals());
    if dice.chance(40) {
        spec.insert("clusterDefaults".into(), defaults(dice));
    }
    if dice.chance(40) {
        spec.insert("gitops".into(), gitops(dice));
    }
    if dice.chance(40) {
        let because = "the office's own range: \"do not use\" # really";
        spec.insert(
            "reserved".into(),
            json!([{"cidrs": ["192.168.0.0/16", "fdff::/16"], "because": because}]),
        );
    }
    if dice.chance(50) {
        certificates::sections(world, dice, &mut spec);
    }
    if dice.chance(30) {
        spec.insert("output".into(), json!(dice.pick(&["rendered", "out/of/the/way", "./out"])));
    }
    json!({
        "apiVersion": "landbridge.dev/v1alpha1",
        "kind": "Topology",
        "metadata": {"name": "random"},
        "spec": spec,
    })
}

/// Built-in policies that every random project fulfils.
fn policies(dice: &mut Dice) -> Value {
    let mut policies = Map::new();
    for (name, settings) in [
        ("clustermesh-high-availability", json!({"params": {"replicas": 1}})),
        ("cluster-names", json!({"params": {"pattern": "."}, "severity": "error"})),
        ("object-names", json!({"params": {"length": 253}})),
        ("no-latest-image", json!({})),
        ("encrypted-internet", json!({"params": {"types": []}})),
        ("hubble-relay", json!({"severity": "none"})),
    ] {
        if dice.chance(50) {
            policies.insert(name.to_owned(), settings);
        }
    }
    policies.into()
}

fn gitops(dice: &mut Dice) -> Value {
    let mut gitops = json!({"tool": dice.pick(&["flux", "argocd"])});
    if gitops["tool"] == "argocd" || dice.chance(50) {
        gitops["url"] = "https://git.example.com/platform/mesh.git".into();
        if gitops["tool"] == "flux" && dice.chance(50) {
            gitops["secretName"] = "mesh-git".into();
        }
    }
    if dice.chance(30) {
        gitops["path"] = (*dice.pick(&["regions", "./a/b", "."])).into();
    }
    if dice.chance(30) {
        let charts = ["oci://registry.example.com/charts", "https://charts.example.com/cilium/"];
        gitops["chartRepository"] = (*dice.pick(&charts)).into();
    }
    gitops
}

fn versions(world: &World, dice: &mut Dice) -> Value {
    let mut versions =
        json!({"kubernetes": "1.34.2", "cilium": world.cilium, "certManager": "1.20.3"});
    if dice.chance(30) {
        versions["components"] = json!({"external-dns": {
            "chart": "1.19.0", "repository": "https://kubernetes-sigs.github.io/external-dns",
        }});
    }
    versions
}

fn mesh(world: &World, dice: &mut Dice) -> Value {
    let mut mesh = Map::new();
    if !world.flat || dice.chance(50) {
        let networking = if world.flat { "flat" } else { "island" };
        mesh.insert("networking".into(), networking.into());
    }
    if world.most != 255 || dice.chance(50) {
        mesh.insert("maxConnectedClusters".into(), world.most.into());
    }
    if world.native || dice.chance(60) {
        mesh.insert("routing".into(), routing(world, dice));
    }
    if dice.chance(60) {
        let mut encryption = json!({"type": dice.pick(&["none", "wireguard", "ipsec"])});
        if encryption["type"] == "wireguard" && dice.chance(50) {
            encryption["nodeEncryption"] = dice.chance(50).into();
        }
        mesh.insert("encryption".into(), encryption);
    }
    let mut discovery = json!({"globalServices": world.global_services, "mcs": world.mcs});
    if dice.chance(30) {
        discovery["endpointSlices"] = dice.chance(50).into();
    }
    mesh.insert("discovery".into(), discovery);
    if dice.chance(60) {
        mesh.insert("certificates".into(), mesh_certificates(dice));
    }
    match dice.below(5) {
        0 => mesh.insert("defaultDeny".into(), json!([])),
        1 => mesh.insert("defaultDeny".into(), json!("ingress")),
        2 => mesh.insert("defaultDeny".into(), json!(["egress", "ingress"])),
        _ => None,
    };
    if dice.chance(30) {
        mesh.insert("latencyBudget".into(), json!(dice.pick(&["100ms", "2s", "1m"])));
    }
    if dice.chance(30) {
        mesh.insert("mtu".into(), dice.pick(&[1400, 1500]).to_owned().into());
    }
    if dice.chance(20) {
        mesh.insert("ciliumValues".into(), values(dice));
    }
    mesh.into()
}

fn routing(world: &World, dice: &mut Dice) -> Value {
    if !world.native {
        let protocol = dice.pick(&["vxlan", "geneve"]);
        return json!({"mode": "tunnel", "tunnelProtocol": protocol});
    }
    // Pods with addresses of a network make the range wider: it has to hold both.
    let v4 = if world.eni() { "10.0.0.0/8" } else { "10.128.0.0/9" };
    let ranges = world.family.ranges(v4.into(), "fd64::/16".into());
    let mut routing = json!({"mode": "native", "nativeRoutingCIDR": ranges});
    if dice.chance(30) {
        routing["autoDirectNodeRoutes"] = dice.chance(50).into();
    }
    routing
}

fn mesh_certificates(dice: &mut Dice) -> Value {
    match dice.below(3) {
        0 => json!({"method": "cronJob", "schedule": dice.pick(&["0 0 1 */4 *", "@monthly"])}),
        1 => json!({"method": "external", "caSecret": "cilium-ca"}),
        _ => {
            let mut issuer = json!({"name": "mesh-ca"});
            if dice.chance(50) {
                issuer["kind"] = json!(dice.pick(&["ClusterIssuer", "Issuer"]));
            }
            json!({"method": "certmanager", "issuer": issuer})
        }
    }
}

fn regions(world: &World, dice: &mut Dice) -> Value {
    let mut regions = Map::new();
    for (at, (name, provider)) in world.regions.iter().enumerate() {
        let mut networks = Map::new();
        for (number, network) in world.networks_of(at) {
            let mut written = json!({"cidrs": world.family.ranges(
                format!("10.{number}.0.0/16"), format!("fd00:{number:x}::/48"))});
            if dice.chance(40) {
                let zone = format!("{name}a");
                let subnet = format!("10.{number}.0.0/20");
                if world.family.v4() {
                    written["subnets"] = json!([{"cidr": subnet, "zone": zone}]);
                }
            }
            networks.insert(network.name.clone(), written);
        }
        let mut region = json!({"provider": provider, "networks": networks});
        if dice.chance(30) {
            region["account"] = "012345678901".into();
        }
        if dice.chance(20) {
            region["clusterDefaults"] = defaults(dice);
        }
        if dice.chance(10) {
            region["ciliumValues"] = values(dice);
        }
        regions.insert(name.clone(), region);
    }
    regions.into()
}

fn interconnect(world: &World, (budget, mtu): (bool, bool), dice: &mut Dice) -> Value {
    let ends = world.networks.iter().map(|network| {
        let region = &world.regions[network.region].0;
        match world.networks_of(network.region).count() {
            1 => region.clone(),
            _ => format!("{region}/{}", network.name),
        }
    });
    let ends: Vec<_> = ends.collect();
    let kind = dice.pick(&["transit-gateway", "vpn", "wireguard", "tailscale", "internet"]);
    let mut interconnect = json!({"between": ends, "type": kind});
    // What a flow takes is held against the budget, if there is one.
    if budget || dice.chance(50) {
        interconnect["roundTrip"] = "76ms".into();
    }
    // Larger than any packet: whatever the machines send fits.
    if !mtu || dice.chance(50) {
        interconnect["mtu"] = 9001.into();
    }
    interconnect
}

fn externals() -> Value {
    json!({
        "legacy-db": {"cidrs": ["203.0.113.0/24"], "except": ["203.0.113.128/25"]},
        "partner": {"cidrs": ["198.51.100.0/25", "2001:db8::/32"]},
    })
}

/// Settings that any cluster can inherit.
fn defaults(dice: &mut Dice) -> Value {
    let mut defaults = Map::new();
    if dice.chance(50) {
        defaults.insert("hubble".into(), json!({"enabled": true, "relay": dice.chance(50)}));
    }
    if dice.chance(50) {
        let labels = json!({"k8s-app": "kube-dns"});
        defaults.insert("dns".into(), json!({"domain": "cluster.local", "selector": labels}));
    }
    if dice.chance(30) {
        defaults.insert("mtu".into(), json!(1400));
    }
    if dice.chance(20) {
        defaults.insert("ciliumValues".into(), values(dice));
    }
    defaults.into()
}

/// Values of one's own that contradict nothing, of every type.
pub(crate) fn values(dice: &mut Dice) -> Value {
    let known = [
        json!({"debug": {"enabled": true}}),
        json!({"operator": {"prometheus": {"enabled": false}, "podAnnotations": {"no": "on"}}}),
        json!({"bpf": {"mapDynamicSizeRatio": 0.0025, "preallocateMaps": false}}),
        json!({"tolerations": [{"operator": "Exists"}], "podLabels": {"a/b": "1.20"}}),
        json!({"prometheus": {"enabled": true, "port": 9962}, "rollOutCiliumPods": true}),
    ];
    dice.pick(&known).clone()
}
