"""Imports of Java, Kotlin, Scala, and Groovy, in builds of one and of several modules."""

import pytest

from tests.context.imports.written import found, project

BUILD = project("""
== settings.gradle.kts
include(":app", ":core")
== app/build.gradle.kts
dependencies { implementation(project(":core")) }
== app/src/main/java/com/shop/App.java
== app/src/main/java/com/shop/cart/Cart.java
== app/src/main/java/com/shop/cart/Item.java
== app/src/main/java/com/shop/cart/package.html
== app/src/main/kotlin/com/shop/text/Strings.kt
== app/src/main/kotlin/com/shop/text/Words.kt
== app/src/test/java/com/shop/cart/CartTest.java
== app/src/test/java/com/shop/cart/Fakes.java
== app/src/androidTest/kotlin/com/shop/cart/CartUiTest.kt
== core/build.gradle.kts
== core/src/main/java/com/shop/core/Money.java
== core/src/commonMain/kotlin/com/shop/core/Clock.kt
== short/build.gradle.kts
== short/src/main/kotlin/model/Order.kt
== short/src/main/kotlin/ui/View.kt
== build/classes/com/shop/Old.java
""")
SHORT = "short/src/main/kotlin/"
APP = "app/src/main/java/com/shop/"
TEST = "app/src/test/java/com/shop/cart/CartTest.java"
CART, ITEM = APP + "cart/Cart.java", APP + "cart/Item.java"
UI_TEST = "app/src/androidTest/kotlin/com/shop/cart/CartUiTest.kt"
TESTS = [TEST, "app/src/test/java/com/shop/cart/Fakes.java", UI_TEST]
STRINGS, WORDS = "app/src/main/kotlin/com/shop/text/Strings.kt", "app/src/main/kotlin/com/shop/text/Words.kt"
MONEY, CLOCK = (
    "core/src/main/java/com/shop/core/Money.java",
    "core/src/commonMain/kotlin/com/shop/core/Clock.kt",
)


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        (APP + "App.java", "import com.shop.cart.Cart;", [CART]),
        (APP + "App.java", "import static com.shop.cart.Cart.of;", [CART]),
        (APP + "App.java", "import com.shop.cart.Cart.Line.Kind;", [CART]),
        (APP + "App.java", "import com.shop.cart.*;", [CART, ITEM, *TESTS]),
        (APP + "App.java", "import static com.shop.cart.Cart.*;", [CART]),
        (APP + "App.java", "import com.shop.text.Words", [WORDS]),
        (APP + "App.java", "import com.shop.core.Money;\nimport com.shop.core.Clock;", [MONEY, CLOCK]),
        (APP + "App.java", "import java.util.List;\nimport org.junit.Test;", []),
        (APP + "App.kt", "import com.shop.text.capitalized", [STRINGS, WORDS]),
        (APP + "App.kt", "import com.shop.cart.Cart as Basket", [CART]),
        (APP + "App.kt", "import com.shop.`cart`.Cart", [CART]),
        (APP + "App.scala", "import com.shop.cart.{Cart, Item => Line}", [CART, ITEM]),
        (APP + "App.scala", "import com.shop.cart._", [CART, ITEM, *TESTS]),
        (APP + "App.groovy", "import com.shop.cart.Cart", [CART]),
        (TEST, "package com.shop.cart;\nclass CartTest { Cart cart; }", [CART]),
        (UI_TEST, "package com.shop.cart\n\nval cart = Cart()", [CART]),
        (SHORT + "ui/View.kt", "import org.short.model.Order", [SHORT + "model/Order.kt"]),
    ],
)  # fmt: skip
def test_finds_what_an_import_names(document, text, expected):
    assert found(BUILD, document, text=text) == sorted(expected)


@pytest.mark.parametrize(
    "broken", ["import com.shop.\n", "import \n", "import com.shop.{\n", 'String x = "never\n', "/* never\n"]
)
def test_an_unfinished_line_hides_no_other_import(broken):
    assert CART in found(BUILD, APP + "App.java", text=f"{broken}import com.shop.cart.Cart;\n")


def test_finds_the_modules_of_a_maven_build():
    build = project("""
== pom.xml
== api/pom.xml
== api/src/main/java/org/x/api/Call.java
== web/pom.xml
<dependency><artifactId>api</artifactId></dependency>
== web/src/main/java/org/x/web/Page.java
import org.x.api.Call;
""")
    assert found(build, "web/src/main/java/org/x/web/Page.java") == ["api/src/main/java/org/x/api/Call.java"]
