/** /etc/config of a router with a LAN, a network for guests that may reach nothing on the router, and a WAN. */

export const FIREWALL = `
config defaults
	option input 'REJECT'
	option output 'ACCEPT'
	option forward 'REJECT'

config zone
	option name 'lan'
	list network 'lan'
	option input 'ACCEPT'
	option output 'ACCEPT'
	option forward 'ACCEPT'

config zone
	option name 'wan'
	list network 'wan'
	list network 'wan6'
	option input 'REJECT'
	option output 'ACCEPT'
	option forward 'DROP'
	option masq '1'

config zone
	option name 'guest-2'
	list network 'guest'
	option input 'REJECT'
	option output 'ACCEPT'
	option forward 'REJECT'

config forwarding
	option src 'lan'
	option dest 'wan'

config forwarding 'bindery'
	option src 'guest-2'
	option dest 'wan'

`;

export const NETWORK = `
config interface 'lan'
	option device 'br-lan'
	option proto 'static'

config interface 'guest'
	option device 'br-guest'
	option proto 'static'

config interface 'wan'
	option device 'eth1'
	option proto 'dhcp'
`;

export const DHCP = `
config dnsmasq
	option domainneeded '1'

config dnsmasq 'guests'
	option confdir '/tmp/guests.d,*.conf'

config dhcp 'lan'
	option interface 'lan'
`;

export const ROUTER = { firewall: FIREWALL, network: NETWORK, dhcp: DHCP };

/** Binder's, after "binder join" and a person's part. */
export const binderConfig = (lans: readonly string[], enabled = "1"): string => `
config binder 'main'
	option enabled '${enabled}'

${lans.map((option, index) => `config lan 'lan${String(index)}'\n\toption ${option}\n`).join("\n")}
config relay 'coop'
	list address '203.0.113.10'

config gateway 'school'
	option device 'br-mesh'
	option via '10.0.0.1'
`;
