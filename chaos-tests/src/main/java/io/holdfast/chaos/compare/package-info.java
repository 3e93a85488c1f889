/**
 * Is this tree the same as that one? {@link io.holdfast.chaos.compare.TreeDigest} photographs a tree,
 * {@link io.holdfast.chaos.compare.TreeComparer} lists every way in which two photographs differ.
 *
 * <p>Nothing here imports the product: a mistake made twice in the same code would compare as equal.
 */
@NullMarked
package io.holdfast.chaos.compare;

import org.jspecify.annotations.NullMarked;
