//! A network of its own for each member: a network namespace with one wire to a bridge, over which it
//! reaches its peers, and one to this machine, for its RPC. Unplugging the first cuts it off as a broken
//! cable does: no connection is closed, nothing answers any more.
//!
//! Linux only, and for those who may make namespaces.

use super::{failure, Failure, Forwarder};
use std::{collections::BTreeMap, process::Command};

/// Longest name of an interface, in bytes.
const NAME_LIMIT: usize = 15;
/// Most members: what one network of addresses has room for.
const MEMBERS: usize = 200;

/// The wires of a network.
pub struct Wires {
    /// How the names of everything begin.
    tag: String,
    /// The second number of all addresses: `10.NET.0.x` for peers, `10.NET+1.x.y` for RPC.
    net: u8,
    /// Number of each member, from 1 on.
    members: BTreeMap<String, u8>,
    /// From ports of this machine to the members' RPC.
    forwarders: Vec<Forwarder>,
}

impl Wires {
    /// Whether this user may make namespaces here.
    pub fn possible() -> bool {
        let probe = format!("fsprobe{}", std::process::id());
        let made = ip(&["netns", "add", &probe]).is_ok();
        made && ip(&["netns", "del", &probe]).is_ok()
    }

    /// Wires for these members, `(name, port of its RPC)`; what was left of wires with the same tag
    /// goes.
    pub async fn lay(tag: &str, net: u8, members: &[(&str, u16)]) -> Result<Self, Failure> {
        let longest = members.iter().map(|(name, _)| tag.len() + name.len() + 3).max();
        if longest.unwrap_or(0) > NAME_LIMIT || members.len() > MEMBERS {
            return Err(failure("too many members, or too long names, for interfaces"));
        }
        let mut numbers = BTreeMap::new();
        for ((name, _), number) in members.iter().zip(1u8..) {
            numbers.insert((*name).to_string(), number);
        }
        let mut wires = Self { tag: tag.into(), net, members: numbers, forwarders: vec![] };
        wires.remove();
        let bridge = wires.bridge();
        ip(&["link", "add", &bridge, "type", "bridge"])?;
        ip(&["addr", "add", &format!("10.{net}.0.254/24"), "dev", &bridge])?;
        ip(&["link", "set", &bridge, "up"])?;
        for (name, port) in members {
            wires.lay_member(name)?;
            let target = format!("{}:{port}", wires.rpc_address(name)?);
            wires.forwarders.push(Forwarder::start_at(*port, &target).await?);
        }
        Ok(wires)
    }

    fn lay_member(&self, name: &str) -> Result<(), Failure> {
        let (space, number) = (self.space(name), self.number(name)?);
        let (plug, line) = (self.plug_of(name), self.line_of(name));
        let rpc = self.net.saturating_add(1);
        ip(&["netns", "add", &space])?;
        let inside = |args: &[&str]| ip(&[&["-n", &space], args].concat());
        inside(&["link", "set", "lo", "up"])?;
        ip(&["link", "add", &plug, "type", "veth", "peer", "name", "peers", "netns", &space])?;
        ip(&["link", "set", &plug, "master", &self.bridge(), "up"])?;
        inside(&["addr", "add", &format!("{}/24", self.peer_address(name)?), "dev", "peers"])?;
        inside(&["link", "set", "peers", "up"])?;
        ip(&["link", "add", &line, "type", "veth", "peer", "name", "rpc", "netns", &space])?;
        ip(&["addr", "add", &format!("10.{rpc}.{number}.1/30"), "dev", &line])?;
        ip(&["link", "set", &line, "up"])?;
        inside(&["addr", "add", &format!("10.{rpc}.{number}.2/30"), "dev", "rpc"])?;
        inside(&["link", "set", "rpc", "up"])
    }

    fn number(&self, name: &str) -> Result<u8, Failure> {
        let number = self.members.get(name).copied();
        number.ok_or_else(|| failure(format!("{name} has no wire")))
    }

    fn bridge(&self) -> String {
        format!("{}-net", self.tag)
    }

    fn space(&self, name: &str) -> String {
        format!("{}-{name}", self.tag)
    }

    fn plug_of(&self, name: &str) -> String {
        format!("{}-{name}-p", self.tag)
    }

    fn line_of(&self, name: &str) -> String {
        format!("{}-{name}-r", self.tag)
    }

    /// Where its peers reach a member.
    pub fn peer_address(&self, name: &str) -> Result<String, Failure> {
        Ok(format!("10.{}.0.{}", self.net, self.number(name)?))
    }

    fn rpc_address(&self, name: &str) -> Result<String, Failure> {
        Ok(format!("10.{}.{}.2", self.net.saturating_add(1), self.number(name)?))
    }

    /// Runs a command in the network of a member.
    pub fn within(&self, name: &str, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.space(name)]).arg(command.get_program());
        inside.args(command.get_args());
        inside
    }

    /// Unplugs a member's wire to its peers.
    pub fn unplug(&self, name: &str) -> Result<(), Failure> {
        ip(&["link", "set", &self.plug_of(name), "down"])
    }

    /// Plugs it in again.
    pub fn plug_in(&self, name: &str) -> Result<(), Failure> {
        ip(&["link", "set", &self.plug_of(name), "up"])
    }

    /// Removes everything, as far as it is there.
    fn remove(&self) {
        for name in self.members.keys() {
            // With the namespace go both its wires; at once only if they are removed by name.
            let _ = ip(&["link", "del", &self.plug_of(name)]);
            let _ = ip(&["link", "del", &self.line_of(name)]);
            let _ = ip(&["netns", "del", &self.space(name)]);
        }
        let _ = ip(&["link", "del", &self.bridge()]);
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        self.remove();
    }
}

fn ip(args: &[&str]) -> Result<(), Failure> {
    let output = Command::new("ip").args(args).output();
    let output = output.map_err(|e| failure(format!("the command ip does not run ({e})")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    Err(failure(format!("ip {}: {said}", args.join(" "))))
}
