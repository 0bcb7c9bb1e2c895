//! Peers of flows, with where their pods run.

use serde_json::{Value, json};

use super::application::Declared;
use super::dice::Dice;
use super::world::World;

/// A peer as it is written, and what of it decides whether two of them meet.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) written: Value,
    /// The clusters in which it runs; nothing for what is outside the mesh.
    clusters: Option<Vec<usize>>,
    /// For a service that the flow does not place: the clusters whose endpoints others find.
    offered: Option<Vec<usize>>,
    service: bool,
    /// Whether the service has TCP ports only.
    pub(crate) tcp: bool,
}

impl Peer {
    /// What is outside the mesh.
    pub(crate) fn outside(written: Value) -> Self {
        Self { written, clusters: None, offered: None, service: false, tcp: false }
    }

    /// Pods of these clusters.
    pub(crate) fn pods(written: Value, clusters: Vec<usize>) -> Self {
        Self { clusters: Some(clusters), ..Self::outside(written) }
    }

    pub(crate) fn is_service(&self) -> bool {
        self.service
    }
}

impl World {
    /// Whether some pods of the caller find some of the called.
    pub(crate) fn meet(&self, from: &Peer, to: &Peer) -> bool {
        let (Some(callers), Some(called)) = (&from.clusters, &to.clusters) else { return true };
        let joined = |cluster: &usize| self.flat && self.clusters[*cluster].member;
        let found = |cluster: &usize| to.offered.as_ref().is_none_or(|all| all.contains(cluster));
        callers.iter().any(|caller| called.contains(caller))
            || callers.iter().any(joined)
                && called.iter().any(|called| joined(called) && found(called))
    }
}

/// What peers are made from.
pub(crate) struct Peers<'a> {
    pub(crate) world: &'a World,
    pub(crate) declared: &'a Declared,
}

impl Peers<'_> {
    /// A workload, of `own` where that is given; a bare string means one in `from` only.
    pub(crate) fn workload(&self, dice: &mut Dice, own: Option<&str>, bare: bool) -> Peer {
        let candidates = self.declared.workloads.iter();
        let candidates = candidates.filter(|w| own.is_none_or(|own| own == w.namespace));
        let candidates: Vec<_> = candidates.collect();
        let workload = *dice.pick(&candidates);
        let name = reference(dice, own, workload.namespace, &workload.name);
        if bare && dice.chance(50) {
            return Peer::pods(name.into(), workload.clusters.clone());
        }
        let mut written = json!({"workload": name});
        let (clusters, _) = self.limit(dice, &workload.clusters, &mut written);
        if dice.chance(20) {
            written["labels"] = json!({"tier": "debug", "on": "no"});
        }
        if dice.chance(20) && !workload.account {
            written["serviceAccount"] = "0".into();
        }
        Peer::pods(written, clusters)
    }

    /// A service, if there is one.
    pub(crate) fn service(&self, dice: &mut Dice, own: Option<&str>) -> Option<Peer> {
        if self.declared.services.is_empty() {
            return None;
        }
        let service = dice.pick(&self.declared.services);
        let name = reference(dice, own, service.namespace, &service.name);
        let bare = dice.chance(50);
        let mut written = if bare { json!(name) } else { json!({"service": name}) };
        let (clusters, limited) = if bare {
            (service.clusters.clone(), false)
        } else {
            self.limit(dice, &service.clusters, &mut written)
        };
        Some(Peer {
            offered: (!limited).then(|| service.offered.clone()),
            service: true,
            tcp: service.tcp,
            ..Peer::pods(written, clusters)
        })
    }

    /// Limits that leave at least one of the clusters; gives those that are left, and whether
    /// there are limits.
    fn limit(&self, dice: &mut Dice, all: &[usize], peer: &mut Value) -> (Vec<usize>, bool) {
        let one = *dice.pick(all);
        let region = self.world.region(one);
        let kept = |keep: &dyn Fn(usize) -> bool| -> Vec<usize> {
            all.iter().copied().filter(|cluster| keep(*cluster)).collect()
        };
        let own = |cluster: usize| self.world.region(cluster) == region;
        match dice.below(8) {
            0 => {
                let some = dice.some(all);
                peer["clusters"] = json!(self.world.names(&some));
                (some, true)
            }
            1 => {
                peer["regions"] = json!(region);
                (kept(&own), true)
            }
            2 => {
                let tail = &region[1..];
                peer["regions"] = json!([format!("*{tail}")]);
                (kept(&|cluster| self.world.region(cluster).ends_with(tail)), true)
            }
            3 => {
                let others = self.world.regions.iter().map(|(name, _)| name.as_str());
                let others: Vec<_> = others.filter(|name| *name != region).collect();
                if others.is_empty() {
                    return (all.to_vec(), false);
                }
                let other = *dice.pick(&others);
                peer["notRegions"] = json!([other]);
                (kept(&|cluster| self.world.region(cluster) != other), true)
            }
            4 => {
                peer["clusters"] = json!([self.world.clusters[one].name]);
                peer["regions"] = json!([region, "*"]);
                (vec![one], true)
            }
            _ => (all.to_vec(), false),
        }
    }

    /// Callers of any kind.
    pub(crate) fn callers(&self, dice: &mut Dice, namespace: &str) -> Vec<Peer> {
        let mut caller = || match dice.below(3) {
            0 => self.workload(dice, None, true),
            1 => self.namespace(dice, namespace),
            _ => self.other(dice, false),
        };
        vec![caller(), caller()]
    }

    /// Called peers of any kind.
    pub(crate) fn called(&self, dice: &mut Dice, namespace: &str) -> Vec<Peer> {
        let mut called = Vec::new();
        for _ in 0..dice.between(1, 3) {
            called.extend(match dice.below(5) {
                0 => Some(self.workload(dice, None, false)),
                1 => Some(self.namespace(dice, namespace)),
                2 => Some(self.other(dice, true)),
                _ => self.service(dice, Some(namespace)),
            });
        }
        called
    }

    fn namespace(&self, dice: &mut Dice, own: &str) -> Peer {
        let mut names = vec!["monitoring", "kube-system", "off", "same"];
        names.extend(&self.declared.namespaces);
        let name = *dice.pick(&names);
        let mut written = json!({"namespace": name});
        if dice.chance(40) {
            written["labels"] = json!({"app.kubernetes.io/name": "prometheus"});
        }
        if dice.chance(30) {
            written["serviceAccount"] = "prometheus".into();
        }
        let clusters = self.declared.clusters_of(if name == "same" { own } else { name });
        Peer::pods(written, clusters.unwrap_or_else(|| self.everywhere()))
    }

    fn everywhere(&self) -> Vec<usize> {
        (0..self.world.clusters.len()).collect()
    }

    /// A peer that no application declares.
    pub(crate) fn other(&self, dice: &mut Dice, called: bool) -> Peer {
        let entities = [
            "world",
            "cluster",
            "host",
            "remote-node",
            "kube-apiserver",
            "ingress",
            "health",
            "all",
        ];
        Peer::outside(match dice.below(if called { 8 } else { 7 }) {
            0 => json!({"entity": dice.pick(&entities)}),
            1 if self.world.all_from(20) => json!({"entity": ["cluster-mesh", "host"]}),
            1 => json!({"entity": dice.some(&entities[..4])}),
            2 => json!({"external": dice.pick(&["legacy-db", "partner"])}),
            3 => json!({"cidrs": ["0.0.0.0/0", "::/0"], "except": ["10.0.0.0/8", "fd00::/8"]}),
            4 => json!({"cidrs": "192.0.2.1/32"}),
            5 => {
                let written =
                    json!({"namespaceLabels": {"kubernetes.io/metadata.name": "elsewhere"}});
                return Peer::pods(written, self.everywhere());
            }
            6 => match self.declared.capabilities.first() {
                Some((name, clusters)) => {
                    return Peer::pods(json!({"capability": name}), clusters.clone());
                }
                None => json!({"entity": "world"}),
            },
            _ => {
                let names = ["api.stripe.com", "*.stripe.network", "**.example.com"];
                json!({"fqdn": dice.some(&names)})
            }
        })
    }
}

fn reference(dice: &mut Dice, own: Option<&str>, namespace: &str, name: &str) -> String {
    if own == Some(namespace) && dice.chance(70) {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}
