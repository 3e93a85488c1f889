/**
 * The joint simulation of mode switch, replication order and garbage collection (DR-PROTOCOL 4.1 to 4.3, DECISIONS 21): the
 * deciders of the modules, driven by a seed. Begin at {@code DataSimulation}.
 */
@NullMarked
package io.holdfast.chaos.sim;

import org.jspecify.annotations.NullMarked;
