@NullMarked
package io.holdfast.catalog;

import org.jspecify.annotations.NullMarked;
