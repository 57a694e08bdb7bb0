# Stands for OpenWrt's include/package.mk. For each package it leaves in $(OUT)/NAME what that one would pack: fields, conffiles and scripts
# as files, and what is installed in root/. As there, fields are variables that the package's definition sets, and texts are taken as make
# has read them (`$$` is `$`).
FIELDS := SECTION TITLE DEPENDS PKGARCH PKG_VERSION PKG_RELEASE PKG_LICENSE
TEXTS := description conffiles preinst postinst prerm postrm
PKG_BUILD_DIR ?= $(BUILD_DIR)/$(PKG_NAME)-$(PKG_VERSION)

define BuildPackage
# Before make expands the recipe, which writes there.
$(shell mkdir -p $(OUT)/$(1)/root)
$(eval $(Package/$(1)))
all: $(1)
.PHONY: $(1)
$(1):
	$(foreach field,$(FIELDS),$$(file >$(OUT)/$(1)/$(field),$($(field))))
	$(foreach text,$(TEXTS),$$(if $$(value Package/$(1)/$(text)),$$(file >$(OUT)/$(1)/$(text),$$(Package/$(1)/$(text)))))
	$$(call Package/$(1)/install,$(OUT)/$(1)/root)
endef
