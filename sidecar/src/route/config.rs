//! Finds the snippet in Caddy's running configuration: where its sites listen and under which
//! names, and where the upstream is that admin mode changes.
//!
//! Pure: JSON in, findings out. What it does not understand it passes over, because a
//! configuration may come from any Caddy with any module.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::Value;

use super::address::Address;
use super::settings::Ports;
use super::snippet::{OWNER, PROBE};

/// What is looked for.
pub(super) struct Wanted<'a> {
    /// The probe's secret, as the present snippet has it.
    pub(super) ask: &'a str,
    /// The route folder, as any copy of the snippet has it.
    pub(super) folder: &'a str,
    /// The slots' ports.
    pub(super) ports: Ports,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Each place where the snippet is imported.
    pub(super) sites: Vec<Site>,
    /// Each upstream list beside it that decides between the slots.
    pub(super) upstreams: Vec<Upstreams>,
    /// Whether an older copy of the snippet is imported somewhere.
    pub(super) stale: bool,
}

/// One place where the snippet is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// Where its server listens.
    pub(super) listen: Vec<(Address, bool)>,
    /// The host names that lead to it; none where all do.
    pub(super) hosts: Vec<String>,
    /// A path that leads to it.
    pub(super) path: String,
}

/// A list of one upstream, blue or green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upstreams {
    /// Its path in the admin API.
    pub(super) path: String,
    /// The address that it dials.
    pub(super) dial: String,
}

/// What the matchers above a list of routes ask for.
#[derive(Clone, Default)]
struct Scope {
    hosts: Vec<String>,
    path: Option<String>,
}

/// Looks through the whole configuration.
pub(super) fn find(config: &Value, wanted: &Wanted<'_>) -> Found {
    let mut found = Found::default();
    let http = &config["apps"]["http"];
    let Some(servers) = http["servers"].as_object() else { return found };
    for (name, server) in servers {
        let path = format!("/config/apps/http/servers/{}", encoded(name));
        let first = found.sites.len();
        let mut walk = Walk { wanted, found: &mut found };
        walk.routes(&server["routes"], &format!("{path}/routes"), &Scope::default());
        if let Some(named) = server["named_routes"].as_object() {
            for (name, route) in named {
                let path = format!("{path}/named_routes/{}", encoded(name));
                walk.handlers(route, &path, &Scope::default());
            }
        }
        for site in &mut found.sites[first..] {
            site.listen = listens(server, http, &site.hosts);
        }
    }
    found
}

struct Walk<'a, 'b> {
    wanted: &'a Wanted<'b>,
    found: &'a mut Found,
}

impl Walk<'_, '_> {
    /// Goes through one list of routes. The snippet's routes always share one.
    fn routes(&mut self, routes: &Value, path: &str, scope: &Scope) {
        let Some(list) = routes.as_array() else { return };
        if list.iter().any(|route| self.probes(route)) {
            self.found.sites.push(Site {
                listen: Vec::new(),
                hosts: scope.hosts.clone(),
                path: scope.path.clone().unwrap_or_else(|| "/".into()),
            });
            self.upstreams(list, path);
        } else if list.iter().any(|route| self.is_ours(route)) {
            self.found.stale = true;
        }
        for (index, route) in list.iter().enumerate() {
            self.handlers(route, &format!("{path}/{index}"), &within(scope, route));
        }
    }

    fn handlers(&mut self, route: &Value, path: &str, scope: &Scope) {
        for (index, handler) in items(&route["handle"]).enumerate() {
            self.routes(&handler["routes"], &format!("{path}/handle/{index}/routes"), scope);
        }
    }

    /// Whether a route waits for the probe's present secret.
    fn probes(&self, route: &Value) -> bool {
        items(&route["match"])
            .flat_map(|set| items(&set["header"][PROBE]))
            .any(|value| value == self.wanted.ask)
    }

    /// Whether a route says that it comes from this app's snippet, of whatever age.
    fn is_ours(&self, route: &Value) -> bool {
        items(&route["handle"]).any(|handler| handler[OWNER] == self.wanted.folder)
    }

    /// Notes the lists of one upstream that is a slot: the list of both only keeps the counters.
    fn upstreams(&mut self, routes: &[Value], path: &str) {
        for (at, route) in routes.iter().enumerate() {
            for (index, handler) in items(&route["handle"]).enumerate() {
                let mut dials = items(&handler["upstreams"]).map(|upstream| &upstream["dial"]);
                if let (Some(Value::String(dial)), None) = (dials.next(), dials.next())
                    && port_of(dial).and_then(|port| self.wanted.ports.slot(port)).is_some()
                {
                    self.found.upstreams.push(Upstreams {
                        path: format!("{path}/{at}/handle/{index}/upstreams"),
                        dial: dial.clone(),
                    });
                }
            }
        }
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The port of `127.0.0.1:4000`.
pub(super) fn port_of(dial: &str) -> Option<u16> {
    dial.rsplit_once(':').and_then(|(_, port)| port.parse().ok())
}

/// The scope below a route: its own matchers narrow what is above.
fn within(scope: &Scope, route: &Value) -> Scope {
    let words = |kind: &str| -> Vec<String> {
        items(&route["match"])
            .flat_map(|set| items(&set[kind]))
            .filter_map(Value::as_str)
            .filter(|word| !word.contains('{'))
            .map(str::to_owned)
            .collect()
    };
    let hosts = words("host");
    // `/shop/*` leads to it by `/shop/`. A `*` in the middle stands for anything, so for "vial".
    let path = words("path").first().map(|path| {
        let path = path.strip_suffix('*').unwrap_or(path).replace('*', "vial");
        if path.starts_with('/') { path } else { format!("/{path}") }
    });
    Scope {
        hosts: if hosts.is_empty() { scope.hosts.clone() } else { hosts },
        path: path.or_else(|| scope.path.clone()),
    }
}

/// Where a server listens, as addresses to connect to, each with whether it speaks TLS there.
///
/// Caddy decides on automatic HTTPS after it has read the configuration, which therefore does not
/// show it: this is its rule as documented, and the probe tries the other way next.
fn listens(server: &Value, http: &Value, hosts: &[String]) -> Vec<(Address, bool)> {
    let port_setting = |name: &str, otherwise: u64| http[name].as_u64().unwrap_or(otherwise);
    let (plain, secure) = (port_setting("http_port", 80), port_setting("https_port", 443));
    let policies = items(&server["tls_connection_policies"]).next().is_some();
    let automatic = &server["automatic_https"];
    let named = hosts.iter().any(|host| !items(&automatic["skip"]).any(|skipped| skipped == host));
    items(&server["listen"])
        .filter_map(Value::as_str)
        .filter_map(listen_address)
        .map(|address| {
            let port = match &address {
                Address::Tcp(tcp) => u64::from(tcp.port()),
                Address::Unix(_) => plain,
            };
            let by_itself =
                automatic["disable"] != true && port != plain && (port == secure || named);
            (address, policies || by_itself)
        })
        .collect()
}

/// `:443`, `tcp/127.0.0.1:8080`, `[::]:80-90`, `unix//run/site.sock|0660`.
fn listen_address(text: &str) -> Option<Address> {
    if text.starts_with("unix/") {
        return text.parse().ok();
    }
    let (network, rest) = text.split_once('/').unwrap_or(("tcp", text));
    if !matches!(network, "tcp" | "tcp4" | "tcp6") {
        return None;
    }
    let (host, ports) = rest.rsplit_once(':')?;
    let port = ports.split('-').next()?.parse().ok()?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip = match host {
        "" | "localhost" if network == "tcp6" => IpAddr::V6(Ipv6Addr::LOCALHOST),
        "" | "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        host => match host.parse::<IpAddr>().ok()? {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        },
    };
    Some(Address::Tcp(SocketAddr::new(ip, port)))
}

/// A key as a segment of the admin API's path.
fn encoded(key: &str) -> String {
    key.bytes().fold(String::new(), |path, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            path + std::str::from_utf8(&[byte]).unwrap_or_default()
        }
        byte => path + &format!("%{byte:02X}"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WANTED: Wanted<'static> =
        Wanted { ask: "secret", folder: "/r/shop", ports: Ports { blue: 4000, green: 4001 } };

    fn snippet(ask: &str) -> Value {
        json!([
            {"match": [{"header": {PROBE: [ask]}}], "handle": [{"handler": "vars", OWNER: "/r/shop"}]},
            {"handle": [{"handler": "reverse_proxy",
                "upstreams": [{"dial": "127.0.0.1:4000"}, {"dial": "127.0.0.1:4001"}]}]},
            {"handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": "127.0.0.1:4000"}]}]},
        ])
    }

    fn servers(servers: Value) -> Value {
        json!({"apps": {"http": {"servers": servers}}})
    }

    #[test]
    fn a_site_is_found_below_hosts_and_paths() {
        let config = servers(json!({"my srv": {"listen": [":443"], "routes": [
            {"match": [{"host": ["other.example"]}], "handle": []},
            {"match": [{"host": ["shop.example"]}], "handle": [{"handler": "subroute", "routes": [
                {"match": [{"path": ["/shop/*"]}],
                 "handle": [{"handler": "subroute", "routes": snippet("secret")}]}
            ]}]}
        ]}}));
        let found = find(&config, &WANTED);
        assert_eq!(
            found.sites,
            [Site {
                listen: vec![("127.0.0.1:443".parse().unwrap(), true)],
                hosts: vec!["shop.example".into()],
                path: "/shop/".into(),
            }]
        );
        let path = "/config/apps/http/servers/my%20srv/routes/1/handle/0/routes/0/handle/0/routes\
                    /2/handle/0/upstreams";
        let dial = "127.0.0.1:4000".to_owned();
        assert_eq!(found.upstreams, [Upstreams { path: path.into(), dial }]);
    }

    #[test]
    fn another_copy_of_the_snippet_is_stale_and_another_apps_is_nothing() {
        let of = |routes: Value| servers(json!({"srv0": {"listen": [":80"], "routes": routes}}));
        let found = find(&of(snippet("older")), &WANTED);
        assert!(found.stale && found.sites.is_empty() && found.upstreams.is_empty());
        let other = Wanted { folder: "/r/blog", ..WANTED };
        assert_eq!(find(&of(snippet("older")), &other), Found::default());
    }

    #[test]
    fn tls_is_expected_where_caddy_would_serve_it() {
        let expect = |server: Value, host: &str, tls: bool| {
            let listens = listens(&server, &json!({"http_port": 8080}), &[host.to_owned()]);
            assert_eq!(listens.first().map(|listen| listen.1), Some(tls), "{server}");
        };
        expect(json!({"listen": [":9443"]}), "shop.example", true);
        expect(json!({"listen": [":8080"]}), "shop.example", false);
        expect(
            json!({"listen": [":9080"], "automatic_https": {"skip": ["shop.example"]}}),
            "shop.example",
            false,
        );
        let disabled = json!({"disable": true});
        expect(json!({"listen": [":443"], "automatic_https": disabled}), "shop.example", false);
        let policy = json!({"listen": [":1"], "automatic_https": disabled,
            "tls_connection_policies": [{}]});
        expect(policy, "shop.example", true);
    }

    #[test]
    fn listeners_become_addresses_that_one_can_connect_to() {
        let address = |text: &str| listen_address(text).map(|address| address.to_string());
        assert_eq!(address(":443").as_deref(), Some("127.0.0.1:443"));
        assert_eq!(address("0.0.0.0:80").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(address("[::]:80-90").as_deref(), Some("[::1]:80"));
        assert_eq!(address("tcp6/:80").as_deref(), Some("[::1]:80"));
        assert_eq!(address("tcp/10.0.0.5:80").as_deref(), Some("10.0.0.5:80"));
        assert_eq!(address("unix//run/a.sock|0222").as_deref(), Some("unix//run/a.sock"));
        for odd in ["udp/:443", "", "443", "{env.X}:80", ":x", "name.example:80"] {
            assert_eq!(address(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_configuration_of_any_shape_is_passed_over() {
        for odd in [
            json!(null),
            json!([]),
            json!({"apps": 1}),
            servers(json!({"s": null})),
            servers(json!({"s": {"listen": 3, "routes": {"a": 1}}})),
            servers(
                json!({"s": {"routes": [null, {"match": [1], "handle": [[], {"routes": 1}]}]}}),
            ),
        ] {
            assert_eq!(find(&odd, &WANTED), Found::default(), "{odd}");
        }
    }
}
