//! Names that would be more than names.

use super::attack::Attack;

/// Texts that no name may have, in the notation of a double-quoted scalar.
const NAMES: [&str; 18] = [
    "..",
    ".",
    "../x",
    "/etc",
    "a/b",
    "a\\\\b",
    "a\\0b",
    "a\\nb",
    "a\\eb",
    "\\e]0;owned\\a",
    "\\u009b31m",
    "\\u202eexe",
    "-rf",
    "con:",
    "use1 ",
    "USE1",
    "\u{0430}\u{0440}\u{0456}",
    "",
];

#[test]
fn a_name_is_no_path_and_no_command() {
    for name in NAMES {
        Attack::with("metadata: {name: use1}", &format!("metadata: {{name: \"{name}\"}}"))
            .is_refused("landbridge.yaml:19:", "LB0007");
        Attack::with("namespace: shop", &format!("namespace: \"{name}\""))
            .is_refused("landbridge.yaml:41:", "LB0007");
        Attack::with("    api: {workload: api", &format!("    \"{name}\": {{workload: api"))
            .is_refused("landbridge.yaml:46:", "LB0007");
    }
}

/// What only tells things apart is escaped wherever it is shown, and never a path.
#[test]
fn other_names_do_no_harm() {
    for name in NAMES {
        for (good, bad) in [
            ("    order:", format!("    \"{name}\":")),
            ("us-east-1", format!("\"{name}\"")),
            ("web", format!("\"{name}\"")),
            ("main", format!("\"{name}\"")),
        ] {
            let attack = Attack::new();
            let text = super::attack::PROJECT.replace(good, &bad);
            attack.put("landbridge.yaml", text);
            for args in [&["check"][..], &["compile"], &["compile", "--check"]] {
                attack.run(args).ends_with(&[0, 1]);
            }
            attack.nothing_stands_beside_the_output();
        }
    }
}

#[test]
fn names_of_ten_thousand_characters_are_no_names() {
    let name = "x".repeat(10_000);
    for (good, place) in [
        ("name: use1", "landbridge.yaml:19:"),
        ("name: shop", "landbridge.yaml:39:"),
        ("namespace: shop", "landbridge.yaml:41:"),
        ("    api: {work", "landbridge.yaml:46:"),
    ] {
        let bad = good.replace("use1", &name).replace("shop", &name).replace("api", &name);
        Attack::with(good, &bad).is_refused(place, "error");
    }
    // A flow's name is shortened in the names of its policies.
    Attack::with("    order:", &format!("    {name}:")).run(&["compile"]).ends_with(&[0, 1]);
}

#[test]
fn keys_and_values_are_shown_without_effect() {
    for bad in
        ["\"\\e[31mregion\": us-east-1", "region: \"\\e[2J\\u009b\\u202e\"", "\"\\a\\b\\r\": 1"]
    {
        Attack::with("region: us-east-1", bad).is_refused("landbridge.yaml:21:", "LB00");
    }
    let attack = Attack::including("\"*.yml\"");
    attack.put("\u{1b}[31m\r\u{202e}x.yml", "a: [\n");
    attack.is_refused("x.yml:", "LB0001");
    let attack =
        Attack::with("region: us-east-1", "region: us-east-2 # \u{1b}[31m \u{9b}2J \u{202e}\u{7}");
    attack.run(&["check"]).ends_with(&[1]);
}

#[test]
fn two_things_never_share_a_file() {
    let service = "kind: MeshApplication\napiVersion: landbridge.dev/v1alpha1\nmetadata: {name: other}\nspec:\n  namespace: shop\n";
    let again = format!(
        "{service}  workloads: {{own: {{labels: {{a: b}}, clusters: [use1]}}}}\n  services: {{api: {{workload: own, ports: [{{port: 80}}]}}}}\n"
    );
    Attack::and(&again).is_refused("landbridge.yaml:46:", "the service `api` is declared twice");
    let upper =
        "kind: Cluster\napiVersion: landbridge.dev/v1alpha1\nmetadata: {name: use1}\nspec: {}\n";
    Attack::and(upper).is_refused("landbridge.yaml:", "declared twice");
}
