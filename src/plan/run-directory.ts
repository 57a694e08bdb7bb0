/**
 * Where Binder keeps what must outlive its daemon and not the machine: records, sockets, rendered configurations, logs. OpenWrt has no /run;
 * /var/run is in memory there as everywhere.
 */
export const RUN_DIRECTORY = "/var/run/binder";
