//! MeshApplication and Capability documents, without their flows.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::world::World;

const NAMESPACES: [&str; 8] =
    ["payments", "web", "null", "data-platform", "on", "5", "ledger", "x"];
const WORKLOADS: [&str; 6] = ["api", "frontend", "worker", "yes", "0x1", "cache"];

/// Pods that flows can name.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) namespace: &'static str,
    pub(crate) name: String,
    pub(crate) clusters: Vec<usize>,
    /// Whether it says its service account, which no peer may contradict.
    pub(crate) account: bool,
}

/// A service that flows can name.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) namespace: &'static str,
    pub(crate) name: String,
    pub(crate) clusters: Vec<usize>,
    pub(crate) tcp: bool,
    /// The clusters whose endpoints the others find.
    pub(crate) offered: Vec<usize>,
}

/// What is declared, for flows to refer to.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) namespaces: Vec<&'static str>,
    /// Clusters in which a namespace exists without a workload.
    pub(crate) further: Vec<(&'static str, Vec<usize>)>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) services: Vec<Service>,
    pub(crate) capabilities: Vec<(&'static str, Vec<usize>)>,
}

impl Declared {
    /// The clusters in which a declared namespace exists; nothing for any other namespace.
    pub(crate) fn clusters_of(&self, namespace: &str) -> Option<Vec<usize>> {
        self.namespaces.contains(&namespace).then(|| {
            let own = self.workloads.iter().filter(|workload| workload.namespace == namespace);
            let further = self.further.iter().filter(|(name, _)| *name == namespace);
            let clusters = own.map(|workload| &workload.clusters);
            clusters.chain(further.map(|(_, clusters)| clusters)).flatten().copied().collect()
        })
    }
}

/// Applications whose flows are still missing, with their namespaces.
pub(crate) fn documents(
    world: &World,
    dice: &mut Dice,
    size: usize,
    declared: &mut Declared,
) -> Vec<(&'static str, Value)> {
    let mut documents = Vec::new();
    for namespace in NAMESPACES.into_iter().take(dice.between(1, size.clamp(1, 8))) {
        declared.namespaces.push(namespace);
        // Applications that share a namespace have to agree about its default deny.
        let deny = [None, None, Some(json!([])), Some(json!(["ingress"])), Some(json!("egress"))];
        let deny = dice.pick(&deny).clone();
        for part in 0..dice.between(1, 2) {
            let spec = application(world, dice, namespace, part, deny.clone(), declared);
            documents.push((
                namespace,
                json!({
                    "apiVersion": "landbridge.dev/v1alpha1",
                    "kind": "MeshApplication",
                    "metadata": {"name": format!("{namespace}.part-{part}")},
                    "spec": spec,
                }),
            ));
        }
    }
    documents
}

fn application(
    world: &World,
    dice: &mut Dice,
    namespace: &'static str,
    part: usize,
    deny: Option<Value>,
    declared: &mut Declared,
) -> Map<String, Value> {
    let mut spec = Map::new();
    spec.insert("namespace".into(), namespace.into());
    spec.extend(deny.map(|deny| ("defaultDeny".to_owned(), deny)));
    if dice.chance(30) {
        spec.insert("createNamespace".into(), dice.chance(70).into());
        spec.insert("namespaceLabels".into(), json!({"team": "no", "example.com/tier": "1"}));
    }
    let all: Vec<usize> = (0..world.clusters.len()).collect();
    if dice.chance(20) {
        let clusters = dice.some(&all);
        spec.insert("clusters".into(), json!(world.names(&clusters)));
        declared.further.push((namespace, clusters));
    }
    let (mut workloads, mut services) = (Map::new(), Map::new());
    for name in WORKLOADS.iter().take(dice.between(1, 4)) {
        let name = format!("{name}{}", if part == 0 { "" } else { "-two" });
        let (written, clusters) = workload(world, dice, &name, &all);
        let account = written.get("serviceAccount").is_some();
        let writer = written.get("writer").is_some();
        workloads.insert(name.clone(), written);
        for number in 0..dice.below(3) {
            let service_name = if number == 0 { name.clone() } else { format!("{name}-{number}") };
            let tcp = dice.chance(70);
            let (mut written, offered) = service(world, dice, &name, &clusters, tcp);
            if writer || dice.chance(10) {
                // Whatever the workload's replicas are called for, they can answer.
                written["readOnly"] = true.into();
            }
            services.insert(service_name.clone(), written);
            let clusters = clusters.clone();
            declared.services.push(Service {
                namespace,
                name: service_name,
                clusters,
                tcp,
                offered,
            });
        }
        declared.workloads.push(Workload { namespace, name, clusters, account });
    }
    // Where other clusters find a service, its namespace exists.
    if services
        .values()
        .any(|service| service["global"] != Value::Null || service["export"] == true)
    {
        if dice.chance(50) {
            spec.insert("createNamespace".into(), true.into());
        } else {
            spec.insert("clusters".into(), json!(world.names(&all)));
            declared.further.push((namespace, all));
        }
    }
    spec.insert("workloads".into(), workloads.into());
    if !services.is_empty() {
        spec.insert("services".into(), services.into());
    }
    spec
}

fn workload(world: &World, dice: &mut Dice, name: &str, all: &[usize]) -> (Value, Vec<usize>) {
    let mut labels = json!({"app": name});
    if dice.chance(40) {
        labels["app.kubernetes.io/part-of"] = json!(dice.pick(&["no", "1.20", "", "x_Y.z"]));
    }
    let mut workload = json!({"labels": labels});
    let mut clusters = dice.some(all);
    if dice.chance(30) {
        let region = world.region(clusters[0]).to_owned();
        clusters = all.iter().copied().filter(|c| world.region(*c) == region).collect();
        workload["regions"] = json!([region]);
    } else if dice.chance(10) {
        clusters = all.to_vec();
        workload["regions"] = json!(["*"]);
    } else {
        workload["clusters"] = json!(world.names(&clusters));
    }
    if dice.chance(40) {
        workload["serviceAccount"] = format!("sa-{name}").into();
    }
    if dice.chance(20) {
        workload["writer"] = json!(world.clusters[*dice.pick(&clusters)].name);
    }
    let passive = |cluster: &usize| world.clusters[*cluster].passive;
    if all.iter().any(passive) && !clusters.iter().any(passive) {
        workload["failover"] = false.into();
    }
    (workload, clusters)
}

/// A service, and the clusters whose endpoints it offers to the others.
fn service(
    world: &World,
    dice: &mut Dice,
    workload: &str,
    runs: &[usize],
    tcp: bool,
) -> (Value, Vec<usize>) {
    let mut offered = Vec::new();
    let mut service = json!({"workload": workload, "ports": ports(dice, tcp)});
    let export = world.mcs && dice.chance(40);
    if world.global_services && dice.chance(50) {
        let mut global = json!({});
        // An affinity chooses between clusters, and is exported from 1.18 on.
        let members = runs.iter().filter(|cluster| world.clusters[**cluster].member).count();
        if world.flat && members > 1 && (!export || world.all_from(18)) && dice.chance(60) {
            global["affinity"] = json!(dice.pick(&["local", "remote", "none"]));
        }
        offered = runs.to_vec();
        match dice.below(5) {
            0 => global["shared"] = true.into(),
            1 if export => global["shared"] = false.into(),
            2 => {
                offered = dice.some(runs);
                global["shared"] = json!(world.names(&offered));
            }
            3 => global = true.into(),
            _ => {}
        }
        service["global"] = global;
    }
    if export {
        service["export"] = true.into();
        offered = runs.to_vec();
    }
    if dice.chance(20) {
        let ways = ["PreferClose", "PreferSameZone", "PreferSameNode"];
        let known = if world.all_from(20) { &ways[..] } else { &ways[..1] };
        service["trafficDistribution"] = json!(dice.pick(known));
    }
    if dice.chance(20) {
        service["headless"] = true.into();
    }
    if dice.chance(40) {
        service["manage"] = json!(dice.pick(&["full", "annotations", "none"]));
    }
    (service, offered)
}

fn ports(dice: &mut Dice, tcp: bool) -> Value {
    let many = dice.chance(40);
    let mut ports = vec![json!({"port": 80, "targetPort": 8080})];
    if many {
        ports.push(json!({"port": 9090, "targetPort": "metrics", "appProtocol": "http"}));
    }
    if !tcp {
        ports.push(json!({"port": 53, "protocol": "UDP"}));
        ports.push(json!({"port": 36412, "protocol": "SCTP", "targetPort": 36412}));
    }
    if ports.len() > 1 || dice.chance(50) {
        for (port, name) in ports.iter_mut().zip(["http", "off", "8a", "n1"]) {
            port["name"] = name.into();
        }
    }
    ports.into()
}

/// Capabilities whose flows are still missing.
pub(crate) fn capabilities(world: &World, dice: &mut Dice, declared: &mut Declared) -> Vec<Value> {
    let mut documents = Vec::new();
    for name in ["internet", "metrics"].into_iter().take(dice.below(3)) {
        let mut spec = Map::new();
        spec.insert("labels".into(), json!({format!("egress.example.com/{name}"): "allow"}));
        let mut clusters: Vec<usize> = (0..world.clusters.len()).collect();
        if dice.chance(40) {
            clusters = dice.some(&clusters);
            spec.insert("clusters".into(), json!(world.names(&clusters)));
        }
        declared.capabilities.push((name, clusters));
        documents.push(json!({
            "apiVersion": "landbridge.dev/v1alpha1",
            "kind": "Capability",
            "metadata": {"name": name},
            "spec": spec,
        }));
    }
    documents
}
