//! The smallest case that still shows a disagreement.

use serde_json::Value;

use super::case::Case;

/// Takes away what can be taken away while `still` holds, at most `tries` times asked.
pub(crate) fn minimise(case: &Case, tries: usize, mut still: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case.clone();
    let mut left = tries;
    loop {
        let before = best.clone();
        let mut index = 0;
        loop {
            let candidates = Candidates::of(&best);
            let Some(smaller) = candidates.at(index) else { break };
            if left == 0 {
                return best;
            }
            left -= 1;
            if is_sound(&smaller) && still(&smaller) {
                best = smaller;
            } else {
                index += 1;
            }
        }
        if best == before {
            return best;
        }
    }
}

/// Whether names still come with a rule that sends queries through the proxy: the programs take
/// for granted that they are seen.
fn is_sound(case: &Case) -> bool {
    case.policies.iter().all(|policy| {
        let object = &policy.object;
        let text = object.to_string();
        // What the API server refuses shows nothing.
        if object["kind"] != "CiliumCIDRGroup"
            && object.get("spec").or(object.get("specs")).is_none()
        {
            return false;
        }
        if text.contains("\"ipBlock\":{}")
            || text.contains("\"fromGroups\":[{}]")
            || text.contains("\"toGroups\":[{}]")
        {
            return false;
        }
        let listed = object["specs"].as_array().into_iter().flatten();
        listed.chain(object.get("spec")).all(|rule| {
            let items = || rule["egress"].as_array().into_iter().flatten();
            let names = items().any(|item| item.get("toFQDNs").is_some());
            let star = |rule: &Value| {
                rule["ports"].as_array().is_some_and(|ports| !ports.is_empty())
                    && rule["rules"]["dns"][0]["matchPattern"] == "*"
            };
            let queries = items()
                .any(|item| item["toPorts"].as_array().is_some_and(|to| to.iter().any(star)));
            !names || queries
        })
    })
}

/// What may be taken away from a case, one at a time.
struct Candidates<'c> {
    case: &'c Case,
    /// Policy and place of all entries and items below `spec` and `specs`, largest first.
    places: Vec<(usize, String)>,
}

impl<'c> Candidates<'c> {
    fn of(case: &'c Case) -> Self {
        let mut places = Vec::new();
        for (index, policy) in case.policies.iter().enumerate() {
            for key in ["spec", "specs"] {
                if let Some(value) = policy.object.get(key) {
                    places.push((index, format!("/{key}")));
                    below(value, &format!("/{key}"), &mut |place| places.push((index, place)));
                }
            }
        }
        Self { case, places }
    }

    fn at(&self, index: usize) -> Option<Case> {
        let mut made = self.case.clone();
        let (flows, policies) = (made.flows.len(), made.policies.len());
        let (identities, namespaces) = (made.identities.len(), made.namespaces.len());
        let mut at = index;
        if at < flows {
            made.flows.remove(at);
            return Some(made);
        }
        at -= flows;
        if at < policies {
            made.policies.remove(at);
            return Some(made);
        }
        at -= policies;
        if at < identities {
            let gone = made.identities.remove(at);
            made.flows.retain(|flow| flow.from != gone.id && flow.to != gone.id);
            return Some(made);
        }
        at -= identities;
        if at < namespaces {
            made.namespaces.remove(at);
            return Some(made);
        }
        at -= namespaces;
        let (policy, place) = self.places.get(at)?;
        remove(&mut made.policies[*policy].object, place);
        Some(made)
    }
}

fn below(value: &Value, place: &str, found: &mut impl FnMut(String)) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                found(format!("{place}/{index}"));
                below(item, &format!("{place}/{index}"), found);
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                found(format!("{place}/{key}"));
                below(value, &format!("{place}/{key}"), found);
            }
        }
        _ => {}
    }
}

fn remove(object: &mut Value, place: &str) {
    let Some((parent, key)) = place.rsplit_once('/') else { return };
    match object.pointer_mut(parent) {
        Some(Value::Array(items)) => {
            items.remove(key.parse().expect("a number"));
        }
        Some(Value::Object(entries)) => {
            entries.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        _ => {}
    }
}
