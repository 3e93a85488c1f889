/**
 * What may go, decided without a clock, a file or a thread: {@code RetentionPlan} which data pieces
 * expire, {@code SiteRetentionPlan} at which site, {@code GcMachine} when a store may mark and sweep, {@code Fossils} what every frame is
 * meanwhile, {@code Reach} what a mark finds. The store and the joint simulation run these same
 * classes. Rules O and G: DR-PROTOCOL 4.1 and 4.2; the reasons: {@code GC.md} of this module.
 */
@NullMarked
package io.holdfast.chunk.gc;

import org.jspecify.annotations.NullMarked;
