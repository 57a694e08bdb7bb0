# Stands for OpenWrt's /lib/functions.sh, as far as Binder's scripts and packages use it. Written after that of 24.10 and 25.12
# (package/base-files/files/lib/functions.sh, package/system/uci/files/lib/config/uci.sh), and compared with it in what the tests see.

config() {
	section="${2:-cfg$((sections += 1))}"
	CONFIG_SECTIONS="$CONFIG_SECTIONS $section"
	eval "CONFIG_${section}_TYPE=\$1"
}

option() {
	eval "CONFIG_${section}_$1=\$2"
}

list() {
	eval "CONFIG_${section}_$1=\"\${CONFIG_${section}_$1:+\$CONFIG_${section}_$1 }\$2\""
	LISTS="$LISTS ${section}_$1"
}

package() {
	return 0
}

# Options stay when another package is loaded, as there; lists go.
config_load() {
	local name text
	[ -z "$IPKG_INSTROOT" ] || return 0
	for name in $LISTS; do eval "CONFIG_$name="; done
	LISTS=
	CONFIG_SECTIONS=
	text="$(/sbin/uci -P /var/state -S -n export "$1" 2>/dev/null)" || return 1
	eval "$text"
}

config_get() {
	case "$2$3" in *[!A-Za-z0-9_]*) ;; *) eval "$1=\"\${CONFIG_$2_$3:-\$4}\"" ;; esac
}

config_get_bool() {
	local value
	config_get value "$2" "$3" "$4"
	case "$value" in
	1 | on | true | yes | enabled) value=1 ;;
	0 | off | false | no | disabled) value=0 ;;
	*) value="$4" ;;
	esac
	eval "$1=$value"
}

config_foreach() {
	local call="$1" type="$2" name found
	shift 2
	for name in $CONFIG_SECTIONS; do
		config_get found "$name" TYPE
		[ "$found" != "$type" ] || eval "$call \"\$name\" \"\$@\""
	done
}

list_contains() {
	eval "case \" \$$1 \" in *\" $2 \"*) return 0 ;; esac"
	return 1
}

# $pkgname is given by apk's scripts; opkg's are named after it.
packages_files() {
	[ -n "$pkgname" ] || pkgname="$(basename "${1%.*}")"
	files="$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname.list"
	[ ! -f "$IPKG_INSTROOT/lib/apk/packages/$pkgname.list" ] || files="$IPKG_INSTROOT/lib/apk/packages/$pkgname.list"
	own="$IPKG_INSTROOT/usr/lib/opkg/info/$pkgname"
}

default_prerm() {
	local file result=0
	packages_files "$1"
	if [ -f "$own.prerm-pkg" ]; then
		(. "$own.prerm-pkg")
		result=$?
	fi
	for file in $(grep -s "^/etc/init.d/" "$files"); do
		[ "$PKG_UPGRADE" = 1 ] || "$file" disable
		"$file" stop
	done
	return $result
}

default_postinst() {
	local file result=0
	packages_files "$1"
	for file in $(grep -s "^/etc/uci-defaults/" "$files"); do
		(cd "$(dirname "$file")" && . "$file") && rm -f "$file"
	done
	uci commit
	if [ -f "$own.postinst-pkg" ]; then
		(. "$own.postinst-pkg")
		result=$?
	fi
	for file in $(grep -s "^/etc/init.d/" "$files"); do
		[ "$PKG_UPGRADE" = 1 ] || "$file" enable
		"$file" start
	done
	return $result
}

add_group_and_user() {
	return 0
}
