/**
 * Clusters of real processes, and what can befall their machines.
 *
 * <p>{@link io.holdfast.chaos.cluster.ClusterBackend} is the port: start, kill, pause, partition,
 * delay, disk, clock. {@link io.holdfast.chaos.cluster.NamespaceBackend} gives each machine a network
 * namespace of its own; the drill runs the same programs on loopback addresses ({@link
 * io.holdfast.chaos.cluster.ClusterProcesses}). {@link io.holdfast.chaos.cluster.Commands} are the
 * commands that a person would type.
 */
@NullMarked
package io.holdfast.chaos.cluster;

import org.jspecify.annotations.NullMarked;
