//! Flows of every kind between what is declared.

use serde_json::{Map, Value, json};

use super::application::Declared;
use super::dice::Dice;
use super::peer::{Peer, Peers};
use super::world::World;

/// What flows are made from.
pub(crate) struct Flows<'a> {
    pub(crate) world: &'a World,
    pub(crate) declared: &'a Declared,
}

impl Flows<'_> {
    fn peers(&self) -> Peers<'_> {
        Peers { world: self.world, declared: self.declared }
    }

    /// The flows of an application.
    pub(crate) fn of_application(&self, dice: &mut Dice, namespace: &str) -> Map<String, Value> {
        let names = ["check-fraud", "no", "Über alles: #1 \"quoted\"", "a.b/c", "007", "scrape"];
        let count = dice.below(names.len() + 1);
        let flows = names.into_iter().take(count);
        flows.map(|name| (name.to_owned(), self.flow(dice, namespace))).collect()
    }

    /// The flows of a capability: one side is written, the other is its pods.
    pub(crate) fn of_capability(&self, dice: &mut Dice, number: usize) -> Map<String, Value> {
        let (peers, mut flows) = (self.peers(), Map::new());
        let own = Peer::pods(Value::Null, self.declared.capabilities[number].1.clone());
        for name in ["out", "in"].into_iter().take(dice.between(1, 2)) {
            let out = name == "out";
            let other = if out && dice.chance(30) { peers.service(dice, None) } else { None };
            let other = other.unwrap_or_else(|| peers.other(dice, out));
            let pair = if out { (&own, &other) } else { (&other, &own) };
            let other = if self.world.meet(pair.0, pair.1) {
                other
            } else {
                Peer::outside(json!({"entity": "world"}))
            };
            let mut flow = json!({if out { "to" } else { "from" }: [&other.written]});
            if !other.is_service() {
                flow["ports"] = ports(dice, false);
            }
            flows.insert(name.to_owned(), flow);
        }
        flows
    }

    fn flow(&self, dice: &mut Dice, namespace: &str) -> Value {
        let (peers, world) = (self.peers(), self.world);
        let (mut from, mut to) = if dice.chance(30) {
            // From anywhere to the own pods.
            let own = peers.workload(dice, Some(namespace), false);
            let mut from = peers.callers(dice, namespace);
            from.retain(|from| world.meet(from, &own));
            if from.is_empty() {
                from.push(Peer::outside(json!({"entity": ["ingress", "world"]})));
            }
            (from, vec![own])
        } else {
            let own = peers.workload(dice, Some(namespace), true);
            let mut to = peers.called(dice, namespace);
            to.retain(|to| world.meet(&own, to));
            if to.is_empty() {
                to.push(Peer::outside(json!({"fqdn": "api.example.com"})));
            }
            let mut from = vec![own];
            if dice.chance(40) {
                let further = peers.callers(dice, namespace);
                let further = further.into_iter();
                from.extend(further.filter(|from| to.iter().all(|to| world.meet(from, to))));
            }
            (from, to)
        };
        dice.shuffle(&mut from);
        dice.shuffle(&mut to);
        let mut flow = Map::new();
        let services = to.iter().all(Peer::is_service);
        let http = dice.chance(25) && to.iter().all(|peer| !peer.is_service() || peer.tcp);
        let written = |peers: Vec<Peer>| peers.into_iter().map(|peer| peer.written).collect();
        flow.insert("from".into(), written(from));
        flow.insert("to".into(), written(to));
        if !services {
            flow.insert("ports".into(), ports(dice, http));
        }
        if http {
            flow.insert("http".into(), requests(dice));
        }
        if dice.chance(10) {
            flow.insert("because".into(), "it's: needed # by all".into());
        }
        flow.into()
    }
}

fn ports(dice: &mut Dice, http: bool) -> Value {
    let tcp = [json!(443), json!("8443"), json!("http"), json!("9000/TCP")];
    let any = [
        json!(53),
        json!("53/ANY"),
        json!("25/TCP"),
        json!("60000-61000/UDP"),
        json!("metrics"),
        json!("8/ICMP"),
        json!("128/ICMPv6"),
        json!("36412/SCTP"),
        json!("3/ICMP"),
        json!("1-65535"),
    ];
    match dice.below(6) {
        0 if !http => json!("all"),
        1 if !http => (1000..1000 + dice.between(39, 90)).collect(),
        _ if http => json!(dice.some(&tcp)),
        _ => json!(dice.some(&any)),
    }
}

fn requests(dice: &mut Dice) -> Value {
    let rules = [
        json!({"method": "GET", "path": "/metrics"}),
        json!({"pathPrefix": "/api/v1.0/(x)"}),
        json!({"pathPrefix": "/"}),
        json!({"pathRegex": "/users/[0-9]+\\.json"}),
        json!({"method": "PATCH"}),
        json!({"path": "/a$b?c=d&e=%20"}),
    ];
    json!(dice.some(&rules))
}
