//! Two hosts, which are network namespaces joined by a pair of virtual Ethernet devices, and the link between them that is cut.

use super::ranks::{Launcher, Ranks};
use std::process::Command;
use std::time::SystemTime;

const ADDRESSES: [&str; 2] = ["10.213.7.1", "10.213.7.2"];

/// The namespaces, which are removed when this is dropped, with their devices.
struct Hosts {
    names: [String; 2],
}

/// Runs a command, whose error output is the error.
fn call(command: &str) -> Result<(), String> {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output();
    let output = output.map_err(|error| format!("`{command}`: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("`{command}`: {}", said.trim())) }
}

impl Hosts {
    fn new() -> Result<Self, String> {
        let names = ["a", "b"].map(|end| format!("tl{}{end}", std::process::id()));
        let hosts = Self { names };
        let [one, other] = &hosts.names;
        for name in &hosts.names {
            call(&format!("ip netns add {name}"))?;
        }
        call(&format!("ip -n {one} link add {one} type veth peer name {other} netns {other}"))?;
        for (name, address) in hosts.names.iter().zip(ADDRESSES) {
            call(&format!("ip -n {name} address add {address}/24 dev {name}"))?;
            call(&format!("ip -n {name} link set lo up"))?;
            call(&format!("ip -n {name} link set {name} up"))?;
            // a host name of its own
            call(&format!("ip netns exec {name} unshare --uts hostname {name}"))?;
        }
        Ok(hosts)
    }

    /// The program of a rank in its namespace, to which arguments can be added.
    fn program(&self, rank: usize) -> Command {
        let name = &self.names[rank];
        let mut command = Command::new("ip");
        command.args(["netns", "exec", name, "unshare", "--uts", "sh", "-c"]);
        command.args([&format!("hostname {name} && exec \"$@\""), "sh", env!("CARGO_BIN_EXE_faulty_ranks")]);
        command.envs([("RANK", rank.to_string()), ("LOCAL_RANK", "0".to_owned()), ("WORLD_SIZE", "2".to_owned())]);
        command.envs([("MASTER_ADDR", ADDRESSES[0]), ("MASTER_PORT", "29500"), ("GLOO_SOCKET_IFNAME", name)]);
        command
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = call(&format!("ip netns delete {name}"));
        }
    }
}

#[test]
fn cut_link_between_two_hosts_ends_both() {
    let hosts = match Hosts::new() {
        Ok(hosts) => hosts,
        Err(reason) => {
            println!("skipped, as this machine has no network namespaces: {reason}");
            return;
        }
    };
    for place in ["training", "validation"] {
        // the file of the fault shows that the run has come to its place
        let mut ranks =
            Ranks::new(Launcher::Hand, 2).fault("none", place, 1).with("SLOW", 20).with("SLOW_VALIDATION", 50);
        for rank in 0..2 {
            let mut command = hosts.program(rank);
            command.args(["fit", "--num-nodes", "2", "--devices", "1", "--strategy", "{name: ddp, timeout: 5s}"]);
            ranks.spawn(rank, command);
        }
        ranks.wait_for_fault();
        let [one, other] = &hosts.names;
        call(&format!("ip -n {one} link set {one} down")).unwrap();
        let ended = ranks.end(Some(SystemTime::now()));
        assert_eq!(ended.codes, [1, 1], "{place}: {ended:#?}");
        for (rank, host, said) in [(1, other, &ended.said[0]), (0, one, &ended.said[1])] {
            let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
            assert_eq!(errors.len(), 1, "{place}: {ended:#?}");
            assert!(errors[0].contains(&format!("rank {rank} on {host} ")), "{place}: {ended:#?}");
            assert!(errors[0].contains("the network between them is cut"), "{place}: {ended:#?}");
        }
        println!("{place}: {:.1} s after the cut: {:#?}", ended.seconds, ended.errors());
        assert!(ended.seconds < 20.0, "{ended:#?}");
        call(&format!("ip -n {one} link set {one} up")).unwrap();
    }
}
