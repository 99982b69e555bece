// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommu-groups makes of kernels that know nothing of DMA ownership: which
 * drivers are in the way, and what else is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "lib/json.h"
#include "tool.h"
#include "tool_says.h"
#include "tree.h"

#define CARD		"0000:00:1f.6"
#define SIBLING		"0000:00:1f.0"
#define PORT		"0000:00:1c.0"
#define GROUP		7
#define GROUP_FOLDER	SYS "/kernel/iommu_groups/7"
#define DEVICE(bdf)	SYS "/bus/pci/devices/" bdf

FIXTURE(stock)
{
};

/* The card is ready to be given. */
FIXTURE_SETUP(stock)
{
	ASSERT_EQ(0, tree_new());
	ASSERT_EQ(0, tree_pci(GROUP, CARD, "vfio-pci", NETWORK_CARD));
	ASSERT_EQ(0, tree_file(" 24: 5 IR-PCI-MSI 4-edge eth0\n", PROC "/interrupts"));
}

FIXTURE_TEARDOWN(stock)
{
	EXPECT_EQ(0, tree_remove(TREE));
}

TEST_F(stock, card_alone)
{
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said(POSSIBLE, CARD, GROUP));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7   free\n"));
	EXPECT_TRUE(said("1 group: 0 in userspace, 0 in kernel use, 1 free\n"));
}

/* Most PCs: an ISA bridge is no bridge, and its driver is in the way. */
TEST_F(stock, isa_bridge_is_in_the_way)
{
	ASSERT_EQ(0, tree_pci(GROUP, SIBLING, "lpc_ich", ISA_BRIDGE));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(BLOCKED, CARD, SIBLING, "lpc_ich"));
	EXPECT_TRUE(said("  echo " SIBLING " > /sys/bus/pci/devices/" SIBLING "/driver/unbind\n"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7   kernel\n"));
}

TEST_F(stock, isa_bridge_can_be_given)
{
	ASSERT_EQ(0, tree_pci(GROUP, SIBLING, "", ISA_BRIDGE));
	EXPECT_EQ(CANNOT, ask_why(SIBLING));
	EXPECT_TRUE(said("it is not bound to vfio-pci.\n"));
	ASSERT_EQ(0, tree_driver("pci", SIBLING, "vfio-pci"));
	EXPECT_EQ(CAN, ask_why(SIBLING));
}

/* NVSwitch has a class of bridges and a header of endpoints. */
TEST_F(stock, switch_of_nvidia_can_be_given)
{
	ASSERT_EQ(0, tree_pci(GROUP, SIBLING, "vfio-pci", OTHER_BRIDGE));
	EXPECT_EQ(CAN, ask_why(SIBLING));
	EXPECT_TRUE(said(POSSIBLE, SIBLING, GROUP));
}

/* A bridge is what its header says, whatever its class is. */
TEST_F(stock, bridge_by_header)
{
	ASSERT_EQ(0, tree_pci(GROUP, PORT, "", OTHER_BRIDGE));
	ASSERT_EQ(0, tree_file("1\n", DEVICE(PORT) "/secondary_bus_number"));
	EXPECT_EQ(CANNOT, ask_why(PORT));
	EXPECT_TRUE(said(PORT " is a bridge, and stays with the kernel"));
}

/* In a copy the header itself can be all that there is. */
TEST_F(stock, bridge_by_configuration_space)
{
	FILE *file;

	ASSERT_EQ(0, tree_pci(GROUP, PORT, "", OTHER_BRIDGE));
	file = fopen(DEVICE(PORT) "/config", "we");
	ASSERT_NE(NULL, file);
	fseek(file, 0x0e, SEEK_SET);
	fputc(0x81, file);
	ASSERT_EQ(0, fclose(file));
	EXPECT_EQ(CANNOT, ask_why(PORT));
	EXPECT_TRUE(said(PORT " is a bridge, and stays with the kernel"));
}

TEST_F(stock, port_driver_is_not_in_the_way)
{
	ASSERT_EQ(0, tree_pci(GROUP, PORT, "pcieport", PCI_BRIDGE));
	EXPECT_EQ(CAN, ask_why(CARD));
}

/* Other drivers of bridges are since the driver core makes claims. */
TEST_F(stock, hotplug_driver_by_symbol)
{
	ASSERT_EQ(0, tree_pci(GROUP, PORT, "shpchp", PCI_BRIDGE));
	ASSERT_EQ(0, tree_file("0 T iommu_group_get\n", PROC "/kallsyms"));
	EXPECT_EQ(CAN, ask_why(CARD));
	ASSERT_EQ(0, tree_file("0 T iommu_group_claim_dma_owner\n", PROC "/kallsyms"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(BLOCKED, CARD, PORT, "shpchp"));
}

TEST_F(stock, hotplug_driver_by_class)
{
	ASSERT_EQ(0, tree_pci(GROUP, PORT, "shpchp", PCI_BRIDGE));
	ASSERT_EQ(0, tree_file("5.10.0\n", PROC "/sys/kernel/osrelease"));
	EXPECT_EQ(CAN, ask_why(CARD));
	ASSERT_EQ(0, tree_folder(SYS "/class/vfio-dev"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
}

TEST_F(stock, hotplug_driver_by_version)
{
	ASSERT_EQ(0, tree_pci(GROUP, PORT, "shpchp", PCI_BRIDGE));
	ASSERT_EQ(0, tree_file("5.18.19\n", PROC "/sys/kernel/osrelease"));
	EXPECT_EQ(CAN, ask_why(CARD));
	ASSERT_EQ(0, tree_file("5.19.0-rc1\n", PROC "/sys/kernel/osrelease"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
}

/* A driver with any name is VFIO's if the device has its folder. */
TEST_F(stock, variant_driver)
{
	ASSERT_EQ(0, tree_driver("pci", CARD, "nvgrace_gpu"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	ASSERT_EQ(0, tree_folder(DEVICE(CARD) "/vfio-dev/vfio3"));
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said("it is bound to nvgrace_gpu, and nothing in group 7"));
}

/* Before that folder, its module uses the one of vfio-pci. */
TEST_F(stock, variant_driver_by_module)
{
	ASSERT_EQ(0, tree_driver("pci", CARD, "mlx5-variant"));
	ASSERT_EQ(0, tree_link("../../../../module/mlx5_variant",
			       SYS "/bus/pci/drivers/mlx5-variant/module"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	ASSERT_EQ(0, tree_folder(SYS "/module/vfio_pci_core/holders/mlx5_variant"));
	EXPECT_EQ(CAN, ask_why(CARD));
}

/* Intel's driver refuses, and no unbinding helps. */
TEST_F(stock, memory_of_firmware)
{
	ASSERT_EQ(0, tree_pci(GROUP, SIBLING, "lpc_ich", ISA_BRIDGE));
	ASSERT_EQ(0, tree_file("0x7b800000 0x7b9fffff direct-relaxable\n",
			       GROUP_FOLDER "/reserved_regions"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(BLOCKED, CARD, SIBLING, "lpc_ich"));
	ASSERT_EQ(0, tree_file("0x7b800000 0x7b9fffff direct\n",
			       GROUP_FOLDER "/reserved_regions"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("Intel's IOMMU driver then refuses (RMRR).\n"));
	EXPECT_EQ(NULL, strstr(output, "unbind"));
}

/* Others refuse since the core does, which no file shows. */
TEST_F(stock, memory_of_firmware_elsewhere)
{
	ASSERT_EQ(0, tree_file("0x7b800000 0x7b9fffff direct\n",
			       GROUP_FOLDER "/reserved_regions"));
	ASSERT_EQ(0, tree_remove(SYS "/class/iommu/dmar0"));
	ASSERT_EQ(0, tree_folder(SYS "/class/iommu/ivhd0"));
	ASSERT_EQ(0, tree_file("6.1.0\n", PROC "/sys/kernel/osrelease"));
	EXPECT_EQ(CAN, ask_why(CARD));
	ASSERT_EQ(0, tree_file("6.6.0\n", PROC "/sys/kernel/osrelease"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("and this kernel then refuses.\n"));
}

/* Interrupts of a PC that are not remapped, and the parameter */
TEST_F(stock, interrupts_not_remapped)
{
	const char *parameter = SYS "/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";

	ASSERT_EQ(0, tree_file("  0: 9 IO-APIC 2-edge timer\n", PROC "/interrupts"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("interrupts are not remapped here"));
	EXPECT_TRUE(said("\n  modprobe vfio_iommu_type1 allow_unsafe_interrupts=1\n"));
	ASSERT_EQ(0, tree_file("N\n", "%s", parameter));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("echo Y > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_inter"));
	ASSERT_EQ(0, tree_file("Y\n", "%s", parameter));
	EXPECT_EQ(CAN, ask_why(CARD));
	ASSERT_EQ(0, tree_file("N\n", "%s", parameter));
	ASSERT_EQ(0, tree_file(" 24: 5 ITS-MSI 4-edge eth0\n", PROC "/interrupts"));
	EXPECT_EQ(CAN, ask_why(CARD));
}

/* A physical function with its virtual ones on */
TEST_F(stock, virtual_functions_are_on)
{
	ASSERT_EQ(0, tree_driver("pci", CARD, "ixgbe"));
	ASSERT_EQ(0, tree_link("../0000:00:1f.7", DEVICE(CARD) "/virtfn0"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("its virtual functions are on (1 of them)"));
	EXPECT_TRUE(said("Careful: " CARD ": its virtual functions vanish: 0000:00:1f.7.\n"));
	EXPECT_TRUE(said("\n  echo 0 > /sys/bus/pci/devices/" CARD "/sriov_numvfs  # careful\n"
			 "  echo " CARD " > /sys/bus/pci/devices/" CARD "/driver/unbind"));
	ASSERT_EQ(0, tree_driver("pci", CARD, ""));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("as root:\n"
			 "  echo " CARD " > /sys/bus/pci/drivers_probe\n"
			 "  echo 0 > /sys/bus/pci/devices/" CARD "/sriov_numvfs"));
	ASSERT_EQ(0, tree_remove(DEVICE(CARD) "/virtfn0"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("it is not bound to vfio-pci.\n"));
}

/* A virtual function whose physical one userspace has */
TEST_F(stock, token_of_virtual_function)
{
	ASSERT_EQ(0, tree_pci(8, SIBLING, "ixgbe", NETWORK_CARD));
	ASSERT_EQ(0, tree_link(DEVICE(SIBLING), DEVICE(CARD) "/physfn"));
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said(POSSIBLE, CARD, GROUP));
	ASSERT_EQ(0, tree_driver("pci", SIBLING, "vfio-pci"));
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said("needs the VF token of the user of " SIBLING));
}

/* A drive behind VMD speaks in the name of VMD, and vanishes with its driver. */
#define VMD		"0000:00:0e.0"
#define DRIVE		"10000:e1:00.0"

static int make_vmd(void)
{
	const char *folder = SYS "/devices/pci0000:00/" VMD "/pci10000:e0";

	return tree_pci(9, VMD, "vmd", 0x010400) ? :
	       tree_device(9, "pci", folder, DRIVE) ? :
	       tree_file("0x010802\n", DEVICE(DRIVE) "/class") ? :
	       tree_driver("pci", DRIVE, "nvme");
}

TEST_F(stock, behind_vmd)
{
	ASSERT_EQ(0, make_vmd());
	EXPECT_EQ(CANNOT, ask_why(DRIVE));
	EXPECT_TRUE(said(DRIVE " cannot be given to userspace alone: it is behind " VMD));
	EXPECT_TRUE(said("\n  echo " VMD " > /sys/bus/pci/devices/" VMD "/driver/unbind"));
	EXPECT_EQ(NULL, strstr(output, "devices/" DRIVE));
}

TEST_F(stock, vmd_itself)
{
	ASSERT_EQ(0, make_vmd());
	EXPECT_EQ(CANNOT, ask_why(VMD));
	EXPECT_TRUE(said("these are behind it and vanish: " DRIVE " (NVMe drive)"));
	EXPECT_EQ(NULL, strstr(output, "devices/" DRIVE));
}

/* A group that VFIO makes itself */
TEST_F(stock, no_iommu)
{
	ASSERT_EQ(0, tree_file("vfio-noiommu\n", GROUP_FOLDER "/name"));
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said("without an IOMMU: its user can reach all memory, nothing isolates it"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7   no IOMMU\n"));
	EXPECT_TRUE(said("0 free, 1 without IOMMU\n"));
	ASSERT_EQ(0, tree_process(70, "dpdk"));
	ASSERT_EQ(0, tree_open(70, 9, "/dev/vfio/noiommu-7"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7   no IOMMU, held open by dpdk[70]\n"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("dpdk[70] holds group 7 open"));
}

/* Other names of groups are shown. */
TEST_F(stock, name_of_group)
{
	ASSERT_EQ(0, tree_file("smmu-of-dma\n", GROUP_FOLDER "/name"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7   free, named smmu-of-dma\n"));
	EXPECT_EQ(0, ask("--json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"name\": \"smmu-of-dma\""));
}

/* A mock that a test of the kernel brought along is no IOMMU. */
TEST_F(stock, mock_is_no_iommu)
{
	ASSERT_EQ(0, tree_pci(-1, SIBLING, "", NETWORK_CARD));
	EXPECT_EQ(CANNOT, ask_why(SIBLING));
	EXPECT_TRUE(said("it is in no group before its first driver comes"));
	ASSERT_EQ(0, tree_remove(SYS "/class/iommu/dmar0"));
	ASSERT_EQ(0, tree_folder(SYS "/class/iommu/mock_iommu"));
	EXPECT_EQ(CANNOT, ask_why(SIBLING));
	EXPECT_TRUE(said("no IOMMU is in use"));
}

/* With a domain of its own, the address is as long as it is. */
TEST_F(stock, domain_of_pci)
{
	ASSERT_EQ(0, tree_pci(8, "0001:0a:00.0", "vfio-pci", NETWORK_CARD));
	EXPECT_EQ(CAN, ask_why("1:0A:00.0"));
	EXPECT_TRUE(said("0001:0a:00.0 can be given"));
}

TEST_HARNESS_MAIN
