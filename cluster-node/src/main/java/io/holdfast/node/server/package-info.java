/**
 * The running server: what {@link io.holdfast.node.api.NodeApi} promises, done.
 *
 * <p>{@code NodeServer} wires the parts of a node together. {@code SiteController} drives the pure
 * site state machine and performs its effects; {@code ClusterLog} is the way to write into Raft;
 * {@code JobRunner}, {@code Protector}, {@code CatalogPump} and {@code Scheduler} work while this node
 * leads the active site; {@code Shipping} works in every storage process. {@code Lookup} and {@code
 * JobPlanner} are pure functions over the cluster's state.
 */
@NullMarked
package io.holdfast.node.server;

import org.jspecify.annotations.NullMarked;
