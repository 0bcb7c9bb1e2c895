//! An output folder that means harm.

use std::fs;

use super::attack::Attack;

#[test]
fn the_output_does_not_leave_the_project() {
    for output in ["../outside", "/tmp", "~", "a/../../outside", ".", "..", ".git/hooks", ""] {
        let attack = Attack::with("output: rendered", &format!("output: \"{output}\""));
        let outcome = attack.run(&["compile"]);
        outcome.ends_with(&[0, 1, 2]);
        attack.nothing_was_written();
        assert!(!attack.path("../outside/use1").exists());
    }
    for target in ["../outside", "/tmp"] {
        let attack = Attack::new();
        attack.link(target, "rendered");
        let outcome = attack.run(&["compile"]);
        outcome.ends_with(&[1, 2]);
        outcome.says("rendered");
        assert!(!attack.path("../outside/use1").exists());
        let attack = Attack::new();
        attack.link(format!("../{target}"), "rendered/use1");
        attack.run(&["compile"]).ends_with(&[1, 2]);
        attack.run(&["compile", "--force"]).ends_with(&[1, 2]);
        let outside: Vec<_> = fs::read_dir(attack.path("../outside")).expect("a folder").collect();
        assert_eq!(outside.len(), 1);
    }
}

#[test]
fn links_in_the_output_are_not_followed() {
    for force in [&["compile"][..], &["compile", "--force"]] {
        let attack = Attack::new();
        attack.link("../../../outside/secret.yaml", "rendered/use1/kustomization.yaml");
        attack.link("../../../outside", "rendered/euw1/cilium");
        attack.run(force).ends_with(&[1, 2]);
        let secret = fs::read_to_string(attack.path("../outside/secret.yaml")).expect("a file");
        assert_eq!(secret, "secret: true\n");
        assert!(!attack.path("../outside/values.yaml").exists());
    }
}

/// The digest of an empty file: a lock that names one lays claim to it.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn a_lock_names_only_what_it_may() {
    for path in [
        "../../victim",
        "../../../outside/victim",
        "/victim",
        "cilium/../../../victim",
        "..\\..\\victim",
        "./../../victim",
        "victim\0",
        "link/victim",
    ] {
        let attack = Attack::new();
        attack.put("victim", "");
        attack.put("../outside/victim", "");
        for cluster in ["use1", "gone"] {
            attack
                .put(&format!("rendered/{cluster}/landbridge.lock"), format!("{EMPTY}  {path}\n"));
            attack.link("../..", &format!("rendered/{cluster}/link"));
        }
        for args in [&["compile"][..], &["compile", "--check"], &["compile", "--force"]] {
            attack.run(args).ends_with(&[0, 1, 2]);
            assert!(attack.path("victim").exists() && attack.path("../outside/victim").exists());
        }
    }
}

#[test]
fn a_lock_that_is_none_is_refused() {
    let deep = "[".repeat(100_000);
    for lock in [&b"\xff\xfe"[..], b"[[[[", b"files: {a: {b: {c: d}}}", deep.as_bytes()] {
        let attack = Attack::new();
        attack.put("rendered/use1/landbridge.lock", lock);
        let outcome = attack.run(&["compile"]);
        outcome.ends_with(&[1, 2]);
        outcome.says("use1/landbridge.lock");
        assert!(!attack.path("rendered/use1/kustomization.yaml").exists());
    }
    let attack = Attack::new();
    attack.put("rendered/use1/landbridge.lock", vec![b'a'; 100 * 1024 * 1024]);
    attack.run(&["compile"]).ends_with(&[1, 2]);
}

#[test]
fn folders_that_are_in_the_way_stay() {
    let attack = Attack::new();
    attack.put("rendered", "a file");
    attack.run(&["compile"]).ends_with(&[1, 2]);
    let attack = Attack::new();
    attack.put("rendered/use1/kustomization.yaml/x", "a file");
    attack.run(&["compile"]).ends_with(&[1, 2]);
    attack.run(&["compile", "--force"]).ends_with(&[1, 2]);
    assert!(attack.path("rendered/use1/kustomization.yaml/x").exists());
}
