/**
 * What people do to files between two backups, repeatable by a seed.
 *
 * <p>Like {@code compare}, nothing here imports the product.
 */
@NullMarked
package io.holdfast.chaos.workload;

import org.jspecify.annotations.NullMarked;
