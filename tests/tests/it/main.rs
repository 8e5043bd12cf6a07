//! End to end: real nodes, hubs and wallets as processes, over real sockets and disks. Each test
//! starts its own chain on free ports and stops it by process id.

mod absence;
mod bad_input;
mod books;
mod crash;
mod demo;
mod parts;
mod restore;
mod routes;
mod standby;
mod tower;
