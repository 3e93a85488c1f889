/**
 * The site-loss drill: a throw-away cluster of real processes, a disaster, and the way home, on a
 * copy of the user's own files.
 *
 * <p>{@link io.holdfast.chaos.drill.Drill} is the script, step by step as a person would do it: it
 * starts and kills processes ({@link io.holdfast.chaos.cluster.ClusterProcesses}), types commands
 * ({@link io.holdfast.chaos.cluster.Commands}), compares trees with {@link
 * io.holdfast.chaos.compare.TreeComparer}, and tells it all to {@link
 * io.holdfast.chaos.drill.Screen} and {@link io.holdfast.chaos.drill.Report}. It never looks inside
 * the cluster, but for one number: how many bytes two stopped stores differ by ({@link
 * io.holdfast.chaos.drill.StoreDifference}).
 */
@NullMarked
package io.holdfast.chaos.drill;

import org.jspecify.annotations.NullMarked;
